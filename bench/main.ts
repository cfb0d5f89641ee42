/**
 * npm run bench: warm invocations and cold starts of the real program over HTTP, as ratios to a bare HTTP server of the
 * same run, compared with bench/baseline.json; and side by side with others. With --only cold: cold starts alone; with
 * --only scale or --only rotation: whether more functions cost more (bench/scale.ts, bench/rotation.ts); with
 * --only fairness: what noisy neighbours do to others (bench/fairness.ts); with --only events: what an asynchronous event
 * costs, and with a million waiting (bench/events.ts); with --only stores: PostgreSQL beside the embedded store (bench/stores.ts). Flags: --write-baseline, --no-peers, --quick, --driver NAME.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'

import { createClient } from '../cli/client.ts'
import type { Output } from '../cli/command.ts'
import { deploy } from '../cli/commands/deploy.ts'
import { signerFromEnvironment } from '../cli/sign.ts'
import { table } from '../cli/table.ts'
import { waitUntilReady } from '../cli/wait.ts'
import { startProgram, type Program } from '../test/support/program.ts'
import { coldAtOnce, coldOneByOne, p50, p50Init, worst } from './cold.ts'
import { packageWithClient } from './client-package.ts'
import { measureEvents } from './events.ts'
import { measureFairness } from './fairness.ts'
import { load, median, type Measured } from './measure.ts'
import { goHello, runtimeInterfaceEmulator, serverlessOffline, type Peer } from './peers.ts'
import { measureRotation } from './rotation.ts'
import { measureScale } from './scale.ts'
import { measureStores } from './stores.ts'

const flags = new Set(process.argv.slice(2))
const quick = flags.has('--quick')
const durationMs = quick ? 1000 : 3000
const rounds = quick ? 1 : 3
const coldStarts = quick ? 5 : 15
const BURST = 24
/** What an operation may cost with the most functions, to what it costs with the fewest. */
const MAX_GROWTH = 1.2
const BASELINE = join(import.meta.dirname, 'baseline.json')

const say = (text: string) => process.stderr.write(`bench: ${text}\n`)
const silent: Output = { isJson: true, line() {}, json() {}, note() {}, bytes() {} }

const SOURCES = {
  node: [
    'index.mjs',
    `export const handler = async (event) => ({ message: 'hello ' + event.name })\n`,
    'nodejs26.x',
    'index.handler',
  ],
  python: [
    'app.py',
    `def handler(event, context):\n    return {'message': 'hello ' + event['name']}\n`,
    'python3.11',
    'app.handler',
  ],
} as const

const results: Record<string, number> = {}
const rows: string[][] = []

function note(name: string, value: number, unit: string, ratio?: number) {
  results[name] = ratio ?? value
  rows.push([
    name,
    `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ${unit}`,
    ratio === undefined ? '' : ratio.toFixed(3),
  ])
}

/** Medians over rounds; each round measures the floor too, so that a slow moment of the machine falls out of the ratio. */
async function warm(label: string, url: string, floorUrl: string, inFlights: readonly number[]) {
  await load(url, { inFlight: Math.max(...inFlights), durationMs: 1000 })
  for (const inFlight of inFlights) {
    const runs: { own: Measured; floor: Measured }[] = []
    for (let round = 0; round < rounds; round++) {
      const floor = await load(floorUrl, { inFlight, durationMs: durationMs / 2 })
      runs.push({ floor, own: await load(url, { inFlight, durationMs }) })
    }
    const rate = median(runs.map(({ own }) => own.perSecond))
    note(
      `${label}, ${inFlight} in flight, invokes`,
      rate,
      '/s',
      median(runs.map(({ own, floor }) => own.perSecond / floor.perSecond)),
    )
    if (inFlight === 1) {
      note(
        `${label}, 1 in flight, p50`,
        median(runs.map(({ own }) => own.p50Ms)),
        'ms',
        median(runs.map(({ own, floor }) => own.p50Ms / floor.p50Ms)),
      )
      note(`${label}, 1 in flight, p99`, median(runs.map(({ own }) => own.p99Ms)), 'ms')
    }
  }
}

type Client = ReturnType<typeof createClient>
type Family = keyof typeof SOURCES

/** Functions of their own, so that each first invocation is a cold start. */
async function deployMany(client: Client, family: Family, directory: string, names: readonly string[]) {
  const [file, , runtime, handler] = SOURCES[family]
  const context = { client, out: silent, signal: new AbortController().signal }
  for (const name of names) await deploy(context, { name, path: join(directory, file), runtime, handler })
}
const namesOf = (label: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${label}-${index}`)

/** Cold starts are told as shares of one without the pool in the same run, so that a busy machine does not count. */
async function cold(
  program: Program,
  client: Client,
  family: Family,
  directory: string,
  withoutPoolMs: number,
) {
  const noteShare = (name: string, ms: number) => note(name, ms, 'ms', ms / withoutPoolMs)
  const single = namesOf(`cold-${family}`, coldStarts)
  await deployMany(client, family, directory, single)
  const colds = await coldOneByOne(program.endpoint, single)
  noteShare(`${family}, cold start from the pool, p50`, p50(colds))
  noteShare(`${family}, cold start from the pool, worst of ${coldStarts}`, worst(colds))
  // The first burst only makes the need known.
  for (const round of ['first', 'known']) {
    const burst = namesOf(`burst-${family}-${round}`, BURST)
    await deployMany(client, family, directory, burst)
    const atOnce = await coldAtOnce(program.endpoint, burst)
    if (round === 'first') continue
    noteShare(`${family}, ${BURST} cold starts at once, p50`, p50(atOnce))
    noteShare(`${family}, ${BURST} cold starts at once, worst`, worst(atOnce))
  }
  return p50Init(colds)
}

/** A function with an AWS client in it, which is most of its init. */
async function coldWithClient(
  program: Program,
  client: Client,
  directory: string,
  helloInitMs: number,
  withoutPoolMs: number,
) {
  const name = 'cold-client-s3'
  const context = { client, out: silent, signal: new AbortController().signal }
  const path = packageWithClient(join(directory, name))
  await deploy(context, { name, path, runtime: 'nodejs26.x', handler: 'index.handler', timeoutSeconds: 30 })
  let changes = 0
  // The first one makes what the others use.
  const [, ...colds] = await coldOneByOne(program.endpoint, Array(coldStarts + 1).fill(name), async () => {
    await client.json('PUT', `/2015-03-31/functions/${name}/configuration`, {
      body: { Description: String(changes++) },
    })
    await waitUntilReady(client, name, silent, context.signal)
  })
  const beyondMs = p50Init(colds) - helloInitMs
  note('node with client-s3, 128 MB, cold start, p50', p50(colds), 'ms', p50(colds) / withoutPoolMs)
  note('node with client-s3, init beyond hello, p50', beyondMs, 'ms', beyondMs / withoutPoolMs)
}

async function coldWithoutPool(directory: string): Promise<Readonly<Record<Family, number>>> {
  const medians = { node: 0, python: 0 }
  const program = await startProgram({ args: [...driver, '--pool-memory=0'] })
  try {
    const client = clientOf(program)
    for (const family of ['node', 'python'] as const) {
      const names = namesOf(`cold-${family}`, coldStarts)
      await deployMany(client, family, directory, names)
      medians[family] = p50(await coldOneByOne(program.endpoint, names))
      note(`${family}, cold start without the pool, p50`, medians[family], 'ms')
    }
  } finally {
    await program.stop()
  }
  return medians
}

const clientOf = ({ endpoint }: Program) =>
  createClient({ endpoint, region: 'us-east-1', sign: signerFromEnvironment({}, 'us-east-1') })

/** The measured values beside those of the baseline, which they replace when that was asked for. */
function report() {
  const baseline = JSON.parse(readFileSync(BASELINE, 'utf8')) as Record<string, number>
  const withBaseline = rows.map((row) => {
    const before = baseline[row[0] ?? '']
    const now = results[row[0] ?? ''] ?? 0
    return [
      ...row,
      before === undefined ? '' : `${before.toFixed(3)} (${((now / before - 1) * 100).toFixed(0)} %)`,
    ]
  })
  process.stdout.write(`${table(['WHAT', 'MEASURED', 'RATIO', 'BASELINE'], withBaseline)}\n`)
  if (flags.has('--write-baseline')) {
    writeFileSync(BASELINE, `${JSON.stringify({ ...baseline, ...results }, null, 2)}\n`)
  }
}

async function startFloor() {
  const child = spawn(process.execPath, ['--conditions=source', join(import.meta.dirname, 'floor.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = await new Promise<number>((resolve) =>
    child.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString()))),
  )
  return { url: `http://127.0.0.1:${port}/`, stop: () => child.kill() }
}

async function comparePeers(goUrl: string, nodeUrl: string) {
  const compared: string[][] = []
  const makers: readonly [() => Promise<Peer>, string, readonly number[]][] = [
    [() => serverlessOffline(19_200), nodeUrl, [1, 8]],
    [() => runtimeInterfaceEmulator(19_300), goUrl, [1]],
  ]
  for (const [make, ownUrl, inFlights] of makers) {
    let peer: Peer
    try {
      say('starting a peer')
      peer = await make()
    } catch (error) {
      compared.push([`left out: ${(error as Error).message.split('\n')[0]}`, '', '', ''])
      continue
    }
    try {
      for (const inFlight of inFlights) {
        const theirs = await load(peer.url, { inFlight, durationMs })
        const ours = await load(ownUrl, { inFlight, durationMs })
        compared.push([
          peer.name,
          `${inFlight}`,
          `${theirs.perSecond.toFixed(0)} /s, p50 ${theirs.p50Ms.toFixed(2)} ms`,
          `${ours.perSecond.toFixed(0)} /s, p50 ${ours.p50Ms.toFixed(2)} ms`,
        ])
      }
    } finally {
      peer.stop()
    }
  }
  return table(['PEER', 'IN FLIGHT', 'PEER', 'LAMBENT'], compared)
}

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined
const driver = process.argv.includes('--driver')
  ? ['--driver', process.argv[process.argv.indexOf('--driver') + 1] ?? 'auto']
  : []
if (only === 'fairness') process.exit((await measureFairness({ quick, say })) ? 0 : 1)
if (only === 'stores') {
  for (const { name, sqlite, postgres, ratio } of await measureStores({ rounds, durationMs })) {
    note(`${name}, embedded`, sqlite.perSecond, '/s')
    note(`${name}, PostgreSQL`, postgres.perSecond, '/s', ratio)
    note(`${name}, PostgreSQL, p50`, postgres.p50Ms, 'ms', postgres.p50Ms / sqlite.p50Ms)
    delete results[`${name}, embedded`]
  }
  report()
  process.exit()
}
if (only === 'scale' || only === 'rotation' || only === 'events') {
  const functions = quick ? 40 : 1000
  const measured =
    only === 'events'
      ? await measureEvents({ quick, say, peers: !flags.has('--no-peers') })
      : only === 'scale'
        ? await measureScale({ quick, say })
        : await measureRotation({ functions, rounds: 1, memoryMiB: 4096, args: driver, say })
  for (const { name, value, unit, ratio } of measured) {
    note(name, value, unit, ratio)
    // Times alone say nothing on another day.
    if (ratio === undefined) delete results[name]
  }
  report()
  // Memory has the store's page cache in it, which a small store does not fill.
  const grown = measured.filter(({ unit, ratio = 0 }) => /^[mu]s$/.test(unit) && ratio > MAX_GROWTH)
  for (const { name, ratio = 0 } of grown)
    say(`${name} costs ${ratio.toFixed(2)} times as much as in the beginning`)
  process.exit(grown.length > 0 && !quick ? 1 : 0)
}
const directory = mkdtempSync(join(tmpdir(), 'lambent-bench-'))
const program = await startProgram({ args: driver })
const floor = await startFloor()
try {
  const client = clientOf(program)
  const context = { client, out: silent, signal: new AbortController().signal }
  const url = (name: string) => `${program.endpoint}/2015-03-31/functions/${name}/invocations`
  for (const [family, [file, source, runtime, handler]] of Object.entries(SOURCES)) {
    writeFileSync(join(directory, file), source)
    // A whole core, so that the measurement is ours and not the function's CPU quota.
    await deploy(context, { name: family, path: join(directory, file), runtime, handler, memoryMiB: 1769 })
  }
  say('cold, without the pool')
  const withoutPoolMs = await coldWithoutPool(directory)
  for (const family of ['node', 'python'] as const) {
    if (only !== 'cold') {
      say(`${family}: warm`)
      await warm(family, url(family), floor.url, family === 'node' ? [1, 8, 32, 64] : [1, 8])
    }
    say(`${family}: cold`)
    const initMs = await cold(program, client, family, directory, withoutPoolMs[family])
    if (family === 'node') await coldWithClient(program, client, directory, initMs, withoutPoolMs.node)
  }
  const health = (await (await fetch(`${program.endpoint}/_lambent/health`)).json()) as { driver?: string }
  process.stdout.write(
    `Node ${process.version}, ${cpus().length} cores, driver ${health.driver ?? 'unknown'}. Ratio: to a bare HTTP server of the same run; of cold starts: to one without the pool.\n\n`,
  )
  report()
  if (!flags.has('--no-peers') && only === undefined) {
    await deploy(context, {
      name: 'go',
      path: goHello(),
      runtime: 'provided.al2023',
      handler: 'bootstrap',
      memoryMiB: 1769,
    })
    await load(url('go'), { inFlight: 1, durationMs: 500 })
    process.stdout.write(`\n${await comparePeers(url('go'), url('node'))}\n`)
  }
} finally {
  floor.stop()
  await program.stop()
  rmSync(directory, { recursive: true, force: true })
}
