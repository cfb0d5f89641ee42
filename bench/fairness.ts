/**
 * npm run bench -- --only fairness: what 500 tenants notice of a noisy one. First the classic policies as a model, then
 * the real queues, gate and poller, whole and without one part or another, all in virtual time.
 */
import { table } from '../cli/table.ts'
import { runNoisyNeighbours, type Noise, type NoisyScenario } from '../test/support/noisy-neighbours.ts'
import { simulatePolicy } from './queue-policies.ts'

const NOISES: readonly (readonly [Noise, number])[] = [
  ['none', 0],
  ['flood', 2],
  ['flood', 10],
  ['slow', 10],
  ['throttled', 2],
]
const MODELS = ['single queue', 'random queue', 'hash, one queue', 'shuffle, best of two'] as const
const PARTS: readonly (readonly [string, NonNullable<NoisyScenario['policy']>])[] = [
  ['real: lanes in one queue, no gate', { k: 0, gate: false, sidelines: false }],
  ['real: shuffle and lanes, no gate', { gate: false, sidelines: false }],
  ['real: and sidelines', { gate: false }],
  ['real: everything', {}],
]
/** What the others may notice: the bar of the unit test. */
const MAX_P99_MS = 100

const time = (ms: number) => (ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms.toFixed(0)} ms`)
const cell = ({ p99Ms, maxMs, affected }: { p99Ms: number; maxMs: number; affected: number }) =>
  `${time(p99Ms)} / ${time(maxMs)} / ${(100 * affected).toFixed(affected > 0 && affected < 0.1 ? 1 : 0)} %`

/** True when nobody notices anything with everything on. */
export async function measureFairness({
  quick,
  say,
}: {
  readonly quick: boolean
  readonly say: (text: string) => void
}): Promise<boolean> {
  const scenario = { noiseMs: quick ? 5_000 : 15_000, watchMs: quick ? 10_000 : 30_000, seed: 1 }
  const rows: string[][] = []
  let isFair = true
  for (const policy of MODELS) {
    say(policy)
    rows.push([
      `model: ${policy}`,
      ...NOISES.map(([noise, factor]) => cell(simulatePolicy({ ...scenario, policy, noise, factor }))),
    ])
  }
  for (const [name, policy] of PARTS) {
    say(name)
    const cells: string[] = []
    for (const [noise, factor] of NOISES) {
      const result = await runNoisyNeighbours({ ...scenario, noise, factor, policy })
      if (policy.gate !== false && (result.p99Ms > MAX_P99_MS || result.affected > 0)) isFair = false
      const done = noise === 'none' ? '' : `, noisy ran ${result.noisyDone}`
      cells.push(`${cell(result)}${done}${result.wasted > 0 ? `, in vain ${result.wasted}` : ''}`)
    }
    rows.push([name, ...cells])
  }
  process.stdout.write(
    `Waits of 500 other tenants at 60 % load: p99 / longest / share of them with more than 1 % of their events over 1 s.\n\n`,
  )
  const columns = NOISES.map(([noise, factor]) =>
    factor === 0 ? 'NO NOISE' : `${noise.toUpperCase()} x${factor}`,
  )
  process.stdout.write(`${table(['POLICY', ...columns], rows)}\n`)
  return isFair
}
