/**
 * Does an operation cost more when there are more functions? The same operations against programs with 10, 1,000 and
 * 10,000 functions of 50 versions, in turns, so that a slow moment of the machine falls on all of them.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import {
  CreateFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  ListFunctionsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import { lambdaClient, ROLE, zipOf } from '../test/support/clients.ts'
import { startProgram, type Program } from '../test/support/program.ts'
import { seededName, seedFunctions } from './seed-functions.ts'

export interface ScaleRow {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** To the smallest store of the same run. */
  readonly ratio?: number
}

interface Size {
  readonly functions: number
  readonly program: Program
  readonly lambda: LambdaClient
}

/** The tenth percentile: what it costs when nothing gets in its way. A median tells of the machine's other work as well. */
const undisturbed = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 10)] ?? 0

const residentMiB = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024

/** A program that runs, and the milliseconds of the faster of two starts. */
async function startTwice(dataDirectory: string) {
  const start = async () => {
    const started = performance.now()
    const program = await startProgram({ dataDirectory })
    return { program, value: performance.now() - started }
  }
  const first = await start()
  await first.program.stop()
  const second = await start()
  return { program: second.program, value: Math.min(first.value, second.value) }
}

/** Every call is another function, spread over all of them, so that nothing is warm that would not be. */
const spread = ({ functions }: Size, turn: number) => seededName((turn * 7919 + 1) % functions)

async function operations(): Promise<
  Readonly<Record<string, (size: Size, turn: number) => Promise<unknown>>>
> {
  const ZipFile = await zipOf({ 'index.mjs': 'export const handler = async (event) => event\n' })
  const markers = new Map<Size, string | undefined>()
  return {
    CreateFunction: ({ lambda }, turn) =>
      lambda.send(
        new CreateFunctionCommand({
          FunctionName: `made-${turn}`,
          Runtime: 'nodejs26.x',
          Handler: 'index.handler',
          Role: ROLE,
          Code: { ZipFile },
        }),
      ),
    GetFunction: (size, turn) =>
      size.lambda.send(new GetFunctionCommand({ FunctionName: spread(size, turn) })),
    ListFunctions: ({ lambda }) => lambda.send(new ListFunctionsCommand({ MaxItems: 10 })),
    'ListFunctions of all versions, next page': async (size) => {
      const page = await size.lambda.send(
        new ListFunctionsCommand({ FunctionVersion: 'ALL', MaxItems: 50, Marker: markers.get(size) }),
      )
      markers.set(size, page.NextMarker)
    },
    ListVersionsByFunction: (size, turn) =>
      size.lambda.send(new ListVersionsByFunctionCommand({ FunctionName: spread(size, turn) })),
    // A function that was made a moment ago: the update waits for nobody.
    UpdateFunctionConfiguration: async ({ lambda }, turn) => {
      const FunctionName = `made-${turn}`
      await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 7 }))
    },
    PublishVersion: ({ lambda }, turn) =>
      lambda.send(new PublishVersionCommand({ FunctionName: `made-${turn}` })),
    'Invoke, warm': ({ lambda }) =>
      lambda.send(new InvokeCommand({ FunctionName: 'template', Payload: Buffer.from('{}') })),
    'Invoke, cold': (size, turn) =>
      size.lambda.send(
        new InvokeCommand({ FunctionName: spread(size, turn + 3), Payload: Buffer.from('{}') }),
      ),
  }
}

/** Before these the function has to have settled. */
const NEEDS_SETTLED = new Set(['UpdateFunctionConfiguration', 'PublishVersion'])
/** They start processes and wait for cores, so fewer of them say as much. */
const TURNS = { 'Invoke, cold': 10, 'Invoke, warm': 200 } as Record<string, number>

async function measure(sizes: readonly Size[], say: (text: string) => void, turnsFactor: number) {
  const rows: ScaleRow[] = []
  for (const [name, call] of Object.entries(await operations())) {
    say(name)
    const turns = Math.ceil((TURNS[name] ?? 60) * turnsFactor)
    const times = new Map(sizes.map((size) => [size, [] as number[]]))
    if (name === 'Invoke, warm') await Promise.all(sizes.map((size) => call(size, 0)))
    for (let turn = 0; turn < turns; turn++) {
      for (let place = 0; place < sizes.length; place++) {
        const size = sizes[(turn + place) % sizes.length]
        if (!size) continue
        if (NEEDS_SETTLED.has(name)) {
          await waitUntilFunctionUpdatedV2(
            { client: size.lambda, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
            { FunctionName: `made-${turn}` },
          )
        }
        const started = performance.now()
        await call(size, turn)
        times.get(size)?.push(performance.now() - started)
      }
    }
    const costs = sizes.map((size) => undisturbed(times.get(size) ?? []))
    for (const [index, { functions }] of sizes.entries()) {
      const value = costs[index] ?? 0
      const label = `${name}, ${functions} functions`
      rows.push({ name: label, value, unit: 'ms', ...(index > 0 && { ratio: value / (costs[0] ?? 1) }) })
    }
  }
  return rows
}

/** `quick`: smaller stores and fewer turns, to see whether the bench itself works. */
export async function measureScale(options: {
  readonly quick: boolean
  readonly say: (text: string) => void
}): Promise<readonly ScaleRow[]> {
  const { quick, say } = options
  const counts = quick ? [10, 100, 500] : [10, 1000, 10_000]
  const versions = quick ? 5 : 50
  const root = mkdtempSync(join(tmpdir(), 'lambent-scale-'))
  const sizes: Size[] = []
  const rows: ScaleRow[] = []
  try {
    for (const functions of counts) {
      const dataDirectory = join(root, String(functions))
      say(`writing ${functions} functions with ${versions} versions each`)
      await seedFunctions(dataDirectory, { functions, versions })
      const { program, value } = await startTwice(dataDirectory)
      const { size } = statSync(join(dataDirectory, 'store', 'store.db'))
      say(`the database has ${(size / 2 ** 20).toFixed(0)} MiB`)
      const first = rows.find(({ name }) => name.startsWith('start'))?.value
      const ratio = first === undefined ? {} : { ratio: value / first }
      rows.push({ name: `start, ${functions} functions`, value, unit: 'ms', ...ratio })
      sizes.push({ functions, program, lambda: lambdaClient(program.endpoint) })
    }
    const smallest = () => residentMiB(sizes[0]?.program.child.pid ?? 0)
    const note = (when: string) => {
      for (const { functions, program } of sizes) {
        const value = residentMiB(program.child.pid ?? 0)
        const ratio = program === sizes[0]?.program ? {} : { ratio: value / smallest() }
        rows.push({ name: `memory ${when}, ${functions} functions`, value, unit: 'MiB', ...ratio })
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 5000))
    note('after the start')
    rows.push(...(await measure(sizes, say, quick ? 0.2 : 1)))
    note('at the end')
    return rows
  } finally {
    for (const { program } of sizes) await program.stop()
    rmSync(root, { recursive: true, force: true })
  }
}
