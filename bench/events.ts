/**
 * npm run bench -- --only events: what an asynchronous event costs, by itself and with a backlog of ten thousand and a
 * million others, as ratios to what SQLite does by itself in the same run; and others in the same run.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'

import { postgresQueue, redisQueue, type QueuePeer } from './event-peers.ts'
import type { EventFigures } from './event-load.ts'
import { median } from './measure.ts'
import type { ScaleRow } from './scale.ts'

/** In a process of its own, so that memory is its own. */
function measureWith(backlog: number, durationMs: number): Promise<EventFigures> {
  const script = join(import.meta.dirname, 'event-load.ts')
  const args = ['--expose-gc', '--conditions=source', script, String(backlog), String(durationMs)]
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      if (error) reject(new Error(`the measurement failed: ${stderr}`, { cause: error }))
      else resolve(JSON.parse(stdout) as EventFigures)
    })
  })
}

export async function measureEvents({
  quick,
  peers,
  say,
}: {
  readonly quick: boolean
  readonly peers: boolean
  readonly say: (text: string) => void
}): Promise<readonly ScaleRow[]> {
  const durationMs = quick ? 1000 : 3000
  const backlogs = quick ? [0, 1000, 20_000] : [0, 10_000, 1_000_000]
  const rounds = quick ? 1 : 3
  const runs = new Map<number, EventFigures[]>(backlogs.map((backlog) => [backlog, []]))
  for (let round = 0; round < rounds; round++) {
    for (const backlog of backlogs) {
      // Filling takes minutes; once tells of memory as well as thrice.
      if (round > 0 && backlog > 100_000) continue
      say(`${backlog} events wait, round ${round + 1}`)
      runs.get(backlog)?.push(await measureWith(backlog, durationMs))
    }
  }
  const of = (backlog: number, pick: (figures: EventFigures) => number) =>
    median((runs.get(backlog) ?? []).map(pick))
  const rows: ScaleRow[] = []
  const add = (name: string, value: number, unit: string, ratio?: number) =>
    rows.push({ name, value, unit, ...(ratio !== undefined && { ratio }) })
  add(
    'SQLite alone, transactions of 32 rows',
    of(0, (run) => run.floorPerSecond),
    '/s',
  )
  const toFloor = (name: string, pick: (figures: EventFigures) => number) =>
    add(
      name,
      of(0, pick),
      '/s',
      of(0, (run) => pick(run) / run.floorPerSecond),
    )
  toFloor('events, enqueued, 32 in flight', (run) => run.enqueuePerSecond)
  toFloor('events, drained', (run) => run.drainPerSecond)
  toFloor('events, enqueued, run and removed, 32 in flight', (run) => run.cyclePerSecond)
  const base = of(0, (run) => run.cycleCpuMicroseconds)
  for (const backlog of backlogs) {
    const cost = of(backlog, (run) => run.cycleCpuMicroseconds)
    add(`CPU of an event, ${backlog} wait`, cost, 'us', cost / base)
    add(
      `heap, ${backlog} wait`,
      of(backlog, (run) => run.heapMiB),
      'MiB',
    )
    add(
      `first event after a start, ${backlog} wait`,
      of(backlog, (run) => run.openMs),
      'ms',
    )
  }
  for (const make of peers ? [postgresQueue, redisQueue] : []) {
    try {
      const peer: QueuePeer = await make(durationMs)
      add(peer.name, peer.perSecond, '/s', peer.perSecond / of(0, (run) => run.floorPerSecond))
    } catch (error) {
      say(`left out: ${(error as Error).message.split('\n')[0]}`)
    }
  }
  return rows
}
