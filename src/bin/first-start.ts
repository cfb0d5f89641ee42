/** The first start of a data directory: deploys the bundled examples and shows one of them at work. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { packageRoot } from '#bin/package-root.ts'

import { createClient } from '../../cli/client.ts'
import { deployExamples, isCompiled, readExamples, showExample, type Example } from '../../cli/examples.ts'
import { signerFromEnvironment } from '../../cli/sign.ts'

export interface FirstStart {
  readonly endpoint: string
  readonly dataDirectory: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly readyRuntimes: ReadonlySet<string>
}

const say = (text: string) => void process.stdout.write(`${text}\n`)

/**
 * Does nothing when the directory was started before. Resolves with what is left for when the program is ready: the
 * examples that a compiler takes minutes for. An example that can't be had never stops the program.
 */
export async function firstStart(options: FirstStart): Promise<(() => Promise<void>) | undefined> {
  const marker = join(options.dataDirectory, 'examples-deployed')
  const directory = join(packageRoot, 'examples')
  if (existsSync(marker) || !existsSync(join(directory, 'manifest.json'))) return undefined
  const { endpoint, region, credentials, readyRuntimes } = options
  const env = {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  }
  const context = {
    client: createClient({ endpoint, region, sign: signerFromEnvironment(env, region) }),
    out: { isJson: false, line() {}, json() {}, note() {}, bytes() {} },
    signal: new AbortController().signal,
  }
  const examples = readExamples(directory)
  const deployThese = (chosen: readonly Example[]) =>
    deployExamples(context, { directory, examples: chosen, readyRuntimes, say })
  say('First start: deploying the examples')
  try {
    const [first] = await deployThese(examples.filter((example) => !isCompiled(example)))
    if (first) await showExample(context, first, say)
  } catch (error) {
    say(`The examples could not be deployed: ${(error as Error).message}`)
  }
  writeFileSync(marker, `${new Date().toISOString()}\n`)
  return async () => {
    await deployThese(examples.filter(isCompiled)).catch((error: unknown) =>
      say(`An example failed: ${String(error)}`),
    )
  }
}

/** What to try next, printed under the ready line. */
export function nextSteps(endpoint: string, lambent: string): string {
  return `
Try it, in another terminal:
  ${lambent} list
  ${lambent} invoke hello-node '{"name": "Ada"}' --log
  ${lambent} deploy ./my-function
  ${lambent} logs hello-node -f
or with any AWS tool:
  export AWS_ENDPOINT_URL=${endpoint} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1
  aws lambda list-functions
Ctrl-C ends it.
`
}
