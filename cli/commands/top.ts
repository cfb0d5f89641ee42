/** What goes on now: environments, pools, queues, and the newest starts. */
import { setTimeout as sleep } from 'node:timers/promises'

import type { Command, CommandContext } from '../command.ts'
import { UsageError } from '../command.ts'
import { table } from '../table.ts'

/** What /_lambent/top answers. */
export interface TopReport {
  readonly at: number
  readonly driver: string
  readonly memory: { readonly promisedMiB: number; readonly maxMiB: number }
  readonly environments: readonly {
    readonly id: string
    readonly functionArn: string
    readonly state: string
    readonly memoryMiB: number
    readonly usedMiB?: number
    readonly cpuMs?: number
    readonly ageMs: number
    readonly invocations: number
  }[]
  readonly waiting: number
  readonly asyncEvents: number
  readonly pools: readonly {
    readonly runtime: string
    readonly memoryMiB: number
    readonly ready: number
    readonly wanted: number
    readonly hits: number
    readonly misses: number
  }[]
  readonly starts: readonly {
    readonly at: number
    readonly functionArn: string
    readonly initializationType: string
    readonly from: string
    readonly totalMs: number
    readonly failed: boolean
    readonly phases: readonly { readonly phase: string; readonly durationMs: number }[]
  }[]
}

const PATH = '/_lambent/top'
const DEFAULT_SECONDS = 2
/** Home, and nothing below the cursor. */
const CLEAR = '\u001B[H\u001B[J'

/** Environments at work first, then those used most. */
const ORDER = ['busy', 'initialising', 'resetting', 'booting', 'stopping', 'idle']

export const topCommand: Command = {
  name: 'top',
  usage: '',
  summary: 'Shows environments, memory, CPU, queues and pools as they are now.',
  positionals: { min: 0, max: 0 },
  options: {
    once: { type: 'boolean', help: 'print once and end [where the output is no terminal]' },
    starts: { type: 'boolean', help: 'the newest starts instead, and where their milliseconds went' },
    interval: {
      type: 'string',
      short: 'n',
      value: 'SECONDS',
      help: `between two looks [${DEFAULT_SECONDS}]`,
    },
  },
  examples: [
    'lambent top',
    'lambent top --starts --once',
    'lambent top --once --json | jq .environments[].functionArn',
    'lambent top -n 10 --json >> usage.jsonl',
  ],
  async run({ client, out, values, signal }) {
    const seconds = Number(values['interval'] ?? DEFAULT_SECONDS)
    if (!(seconds >= 0.1 && seconds <= 3600))
      throw new UsageError(
        `--interval is a number of seconds from 0.1 to 3600: ${String(values['interval'])}`,
      )
    const isOnce = values['once'] === true || (!process.stdout.isTTY && values['interval'] === undefined)
    let before: TopReport | undefined
    while (!signal.aborted) {
      const report = await look({ client })
      if (out.isJson) out.json(values['starts'] ? report.starts : report)
      else {
        const text = values['starts'] ? showStarts(report) : show(report, before)
        out.line(isOnce ? text : `${CLEAR}${text}`)
      }
      if (isOnce) return 0
      before = report
      await sleep(seconds * 1000, undefined, { signal }).catch(() => {})
    }
    return 0
  },
}

const look = async ({ client }: Pick<CommandContext, 'client'>) => client.json<TopReport>('GET', PATH)

/** `arn:…:function:NAME:VERSION` -> `NAME:VERSION` */
const shortName = (arn: string) => arn.slice(arn.indexOf(':function:') + ':function:'.length)
const ms = (value: number) => (value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${value.toFixed(1)} ms`)

function age(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000)
  if (seconds < 60) return `${seconds} s`
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`
}

export function show(report: TopReport, before: TopReport | undefined): string {
  const { environments, memory, pools } = report
  const count = (state: string) => environments.filter((each) => each.state === state).length
  const head = [
    `${environments.length} environments (${count('busy')} busy, ${count('idle')} idle) under ${report.driver}`,
    `${memory.promisedMiB} of ${memory.maxMiB} MiB promised`,
    `${report.waiting} invocations wait for one, ${report.asyncEvents} asynchronous events are queued`,
  ]
  const earlier = new Map(before?.environments.map((each) => [each.id, each.cpuMs]))
  const elapsedMs = before ? report.at - before.at : 0
  const cpu = ({ id, cpuMs }: TopReport['environments'][number]): string => {
    if (cpuMs === undefined) return '-'
    const was = earlier.get(id)
    if (was === undefined || elapsedMs <= 0) return `${(cpuMs / 1000).toFixed(2)} s`
    return `${(((cpuMs - was) / elapsedMs) * 100).toFixed(0)} %`
  }
  const rows = environments
    .toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || b.invocations - a.invocations)
    .map((each) => [
      shortName(each.functionArn),
      each.id.slice(0, 8),
      each.state,
      `${each.usedMiB ?? '-'}/${each.memoryMiB}`,
      cpu(each),
      String(each.invocations),
      age(each.ageMs),
    ])
  const waiting = pools.map((pool) => [
    pool.runtime,
    String(pool.memoryMiB),
    `${pool.ready}/${pool.wanted}`,
    String(pool.hits),
    String(pool.misses),
  ])
  return [
    head.join('; '),
    '',
    table(['FUNCTION', 'ENVIRONMENT', 'STATE', 'MIB', 'CPU', 'INVOCATIONS', 'AGE'], rows),
    ...(waiting.length > 0 ? ['', table(['POOL', 'MIB', 'READY', 'HITS', 'MISSES'], waiting)] : []),
  ].join('\n')
}

export function showStarts({ starts }: TopReport): string {
  const phases = [...new Set(starts.flatMap((start) => start.phases.map(({ phase }) => phase)))]
  const rows = starts.map((start) => [
    new Date(start.at).toISOString().slice(11, 23),
    shortName(start.functionArn),
    start.initializationType,
    start.from,
    start.failed ? `${ms(start.totalMs)} failed` : ms(start.totalMs),
    ...phases.map((name) => {
      const found = start.phases.find(({ phase }) => phase === name)
      return found ? ms(found.durationMs) : '-'
    }),
  ])
  return table(
    ['TIME', 'FUNCTION', 'TYPE', 'SANDBOX FROM', 'TOTAL', ...phases.map((name) => name.toUpperCase())],
    rows,
  )
}
