/** The bundled examples: built where their tools are, deployed, and one of them invoked for a first look. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { CommandContext } from './command.ts'
import { deploy } from './commands/deploy.ts'
import { invoke } from './commands/invoke.ts'

export interface Example {
  readonly name: string
  readonly description: string
  readonly runtime: string
  /** Runtimes it runs on, best first. */
  readonly runtimes: readonly string[]
  readonly handler: string
  /** Relative to the directory of the examples, as are all paths. */
  readonly zip: string
  readonly layers: readonly {
    readonly name: string
    readonly zip: string
    readonly compatibleRuntimes: readonly string[]
  }[]
  readonly event: object
  readonly memoryMiB: number
  readonly timeoutSeconds: number
  readonly needs: { readonly tools: readonly { readonly command: string }[]; readonly network: boolean }
}

type Context = Pick<CommandContext, 'client' | 'out' | 'signal'>

export const readExamples = (directory: string) =>
  JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')) as readonly Example[]

/** Compilers take minutes on a cold machine; these wait until the program is ready. */
export const isCompiled = (example: Example) =>
  example.needs.tools.some(({ command }) => command === 'go' || command === 'cargo')

/** Builds the named examples; resolves with those that could be built. What could not is said on standard error. */
function build(directory: string, names: readonly string[]): Promise<ReadonlySet<string>> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(directory, 'build.mjs'), '--json', ...names], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', reject)
    child.on('close', () => {
      const last = output.trimEnd().split('\n').at(-1) ?? '[]'
      const results = JSON.parse(last) as { name: string; built: boolean }[]
      resolve(new Set(results.filter(({ built }) => built).map(({ name }) => name)))
    })
  })
}

async function publishLayers({ client }: Context, directory: string, example: Example): Promise<string[]> {
  const arns: string[] = []
  for (const layer of example.layers) {
    const body = {
      Content: { ZipFile: readFileSync(join(directory, layer.zip)).toString('base64') },
      CompatibleRuntimes: layer.compatibleRuntimes,
    }
    const published = await client.json<{ LayerVersionArn: string }>(
      'POST',
      `/2018-10-31/layers/${encodeURIComponent(layer.name)}/versions`,
      { body },
    )
    arns.push(published.LayerVersionArn)
  }
  return arns
}

/** Deploys one built example on the first of its runtimes that works here. Throws the last runtime's reason otherwise. */
async function deployExample(
  context: Context,
  directory: string,
  example: Example,
  ready: ReadonlySet<string>,
) {
  const runtime = example.runtimes.find((candidate) => ready.has(candidate)) ?? example.runtime
  await deploy(context, {
    name: example.name,
    path: join(directory, example.zip),
    runtime,
    handler: example.handler,
    memoryMiB: example.memoryMiB,
    timeoutSeconds: example.timeoutSeconds,
    layers: await publishLayers(context, directory, example),
  })
}

/** Builds and deploys `examples`, one by one, telling how it goes. Returns those that can be invoked. */
export async function deployExamples(
  context: Context,
  options: {
    readonly directory: string
    readonly examples: readonly Example[]
    /** Runtimes that this host has already. */
    readonly readyRuntimes: ReadonlySet<string>
    readonly say: (text: string) => void
  },
): Promise<readonly Example[]> {
  const { directory, examples, readyRuntimes, say } = options
  const deployed: Example[] = []
  for (const example of examples) {
    const [tool] = example.needs.tools
    const built = await build(directory, [example.name])
    if (!built.has(example.name)) {
      say(
        `${example.name}: left out; it needs ${tool?.command ?? 'the network'}${example.needs.network ? ' and the network' : ''} once to build`,
      )
      continue
    }
    try {
      await deployExample(context, directory, example, readyRuntimes)
      deployed.push(example)
      say(`${example.name}: deployed (${example.description})`)
    } catch (error) {
      say(`${example.name}: not deployed: ${(error as Error).message}`)
    }
  }
  return deployed
}

/** Invokes one example with its sample event and shows answer and log. */
export async function showExample(
  context: Context,
  example: Example,
  say: (text: string) => void,
): Promise<void> {
  const event = JSON.stringify(example.event)
  const result = await invoke(context, { name: example.name, payload: Buffer.from(event), tail: true })
  say(`invoked ${example.name} with ${event}`)
  say(`  answer: ${result.payload.toString()}`)
  for (const line of (result.log ?? '').trimEnd().split('\n')) say(`  log:    ${line}`)
}
