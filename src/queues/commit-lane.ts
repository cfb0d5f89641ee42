/** One lane per node into the queue log: whatever comes while a commit is under way shares the next one. */
import { MIB } from '#kernel/units.ts'
import { type Fence, type LogEntry, type LogMove, type QueueLog, StoreAway } from '#store/port.ts'

/** Bounds of one commit. */
const MAX_ROWS = 1000
const MAX_BYTES = 4 * MIB
/** Bound of what waits. */
const MAX_WAITING_BYTES = 64 * MIB
const ROW_OVERHEAD_BYTES = 500

export type LaneWork =
  | { readonly kind: 'append'; readonly entry: LogEntry }
  | { readonly kind: 'remove'; readonly queue: number; readonly id: bigint }
  | { readonly kind: 'move'; readonly move: LogMove }

/** `fenced`: the queue has another owner by now, nothing was written. `full`: too much waits, nothing was written. */
export type LaneAnswer = 'committed' | 'fenced' | 'full'

export interface CommitLane {
  /** Durable when it resolves with `committed`; rejects when the engine fails. */
  submit(work: LaneWork): Promise<LaneAnswer>
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>
}

interface Waiting {
  readonly work: LaneWork
  readonly bytes: number
  readonly resolve: (answer: LaneAnswer) => void
  readonly reject: (error: unknown) => void
}

const queueOf = (work: LaneWork) => {
  if (work.kind === 'append') return work.entry.queue
  return work.kind === 'move' ? work.move.queue : work.queue
}
const bytesOf = (work: LaneWork) =>
  ROW_OVERHEAD_BYTES + (work.kind === 'append' ? work.entry.payload.byteLength : 0)

/** `epochOf` says with which epoch this node owns a queue; undefined when it does not. */
export function createCommitLane(options: {
  readonly queueLog: QueueLog
  readonly epochOf: (queue: number) => number | undefined
}): CommitLane {
  let waiting: Waiting[] = []
  let waitingBytes = 0
  let running: Promise<void> | undefined

  const takeBatch = () => {
    let [rows, bytes] = [0, 0]
    for (const item of waiting) {
      if (rows === MAX_ROWS || (rows > 0 && bytes + item.bytes > MAX_BYTES)) break
      rows++
      bytes += item.bytes
    }
    const batch = waiting.slice(0, rows)
    waiting = waiting.slice(rows)
    waitingBytes -= bytes
    return batch
  }
  const refuseAppends = (error: StoreAway) => {
    const refused = waiting.filter(({ work }) => work.kind === 'append')
    waiting = waiting.filter(({ work }) => work.kind !== 'append')
    waitingBytes = waiting.reduce((sum, { bytes }) => sum + bytes, 0)
    for (const { reject } of refused) reject(error)
  }
  const commit = async (items: readonly Waiting[]) => {
    const fences = new Map<number, Fence>()
    const live: Waiting[] = []
    for (const item of items) {
      const queue = queueOf(item.work)
      const epoch = options.epochOf(queue)
      if (epoch === undefined) item.resolve('fenced')
      else {
        fences.set(queue, { queue, epoch })
        live.push(item)
      }
    }
    if (live.length === 0) return
    const works = live.map(({ work }) => work)
    try {
      const { fencedOut } = await options.queueLog.commit({
        fences: [...fences.values()],
        append: works.flatMap((work) => (work.kind === 'append' ? [work.entry] : [])),
        remove: works.flatMap((work) => (work.kind === 'remove' ? [{ queue: work.queue, id: work.id }] : [])),
        move: works.flatMap((work) => (work.kind === 'move' ? [work.move] : [])),
      })
      for (const { work, resolve } of live) {
        resolve(fencedOut.includes(queueOf(work)) ? 'fenced' : 'committed')
      }
    } catch (error) {
      for (const { reject } of live) reject(error)
      // Those behind would wait as long, one batch after the other, for the same answer.
      if (error instanceof StoreAway) refuseAppends(error)
    }
  }
  const run = async () => {
    // Lets all callers of this turn into the first batch.
    await Promise.resolve()
    while (waiting.length > 0) await commit(takeBatch())
    running = undefined
  }
  return {
    submit(work) {
      const bytes = bytesOf(work)
      // Only appends are refused: the others make room.
      if (work.kind === 'append' && waitingBytes + bytes > MAX_WAITING_BYTES) return Promise.resolve('full')
      return new Promise((resolve, reject) => {
        waiting.push({ work, bytes, resolve, reject })
        waitingBytes += bytes
        running ??= run()
      })
    },
    async idle() {
      while (running) await running
    },
  }
}
