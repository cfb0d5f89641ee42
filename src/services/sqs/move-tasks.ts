/**
 * Tasks that move the messages of a dead-letter queue: one at a time for each queue, run by whoever holds its lease. They
 * outlive a restart.
 */
import { LambdaError } from '#contracts/errors.ts'
import { ALL_SQS_TASKS, sqsTaskKey, sqsTaskPrefix, type SqsMoveTask, type SqsQueue } from '#contracts/sqs.ts'
import { sleep, type Clock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import type { Random } from '#kernel/random.ts'
import type { Logger } from '#observability/port.ts'
import type { Lease, Leases, Meta } from '#store/port.ts'
import { queryCode } from '#wire/errors.ts'
import { sqsModel } from '#wire/models/sqs.ts'

import type { OpenQueues } from './open-queues.ts'
import type { MessageHead } from './queue/message.ts'
import type { QueueIndex } from './queue-index.ts'
import { noSuchQueue } from './sqs-errors.ts'

/** AWS's highest rate, and its own choice when none is asked for (which is unverified). */
const MAX_PER_SECOND = 500
const TICK_MS = 1_000
const LEASE_KIND = 'sqs-task'
/** Of one queue; older ones are forgotten. AWS lists ten. */
const KEPT = 10
const READ = 500

type Running = SqsMoveTask & { readonly status: 'RUNNING' | 'CANCELLING' }
export const isRunning = (task: SqsMoveTask): task is Running =>
  task.status === 'RUNNING' || task.status === 'CANCELLING'

class RunsElsewhere extends Error {}
const CANCELLED = { status: 'CANCELLED' } as const

export interface MoveTasks {
  /** Takes up what was running. */
  start(): Promise<void>
  stop(): Promise<void>
  /** The newest first. */
  of(source: SqsQueue): Promise<readonly SqsMoveTask[]>
  begin(
    source: SqsQueue,
    task: Pick<SqsMoveTask, 'sourceArn' | 'destinationArn' | 'maxPerSecond'>,
  ): Promise<SqsMoveTask>
  /** Undefined when it does not run. */
  cancel(source: SqsQueue, id: string): Promise<SqsMoveTask | undefined>
}

export function createMoveTasks(deps: {
  readonly meta: Meta
  readonly leases: Leases
  readonly index: QueueIndex
  readonly open: OpenQueues
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}): MoveTasks {
  const { meta, leases, index, open, clock, random, logger } = deps
  const running = new Map<
    string,
    { task: SqsMoveTask; readonly end: AbortController; readonly done: Promise<void> }
  >()
  let isStopped = false

  const keyOf = ({ source, id, ...scope }: SqsMoveTask) => sqsTaskKey(scope, source, id)
  const save = (task: SqsMoveTask) => meta.txn([{ key: keyOf(task), doc: task as unknown as Json }])

  const of: MoveTasks['of'] = async (source) => {
    const rows = await meta.list(sqsTaskPrefix(source, source.name), '', READ)
    return rows
      .map(({ doc }) => doc as unknown as SqsMoveTask)
      .map((task) => running.get(task.id)?.task ?? task)
      .toSorted((a, b) => b.startedAt - a.startedAt)
  }

  /** To the destination, or to where the message once came from; as a new message, as the developer guide has it. */
  const deliverTo =
    ({ destinationArn }: SqsMoveTask) =>
    async (head: MessageHead, payload: Uint8Array) => {
      const target = index.byArn(destinationArn ?? head.deadLetterSource ?? '')
      if (!target) throw noSuchQueue()
      const { deadLetterSource: _, ...rest } = head
      const queue = await open.of(target.doc)
      await queue.accept({ ...rest, messageId: random.uuid(), sentAt: clock.now() }, payload)
    }

  const run = async (
    task: SqsMoveTask,
    progress: (moved: number) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> => {
    const deliver = deliverTo(task)
    const perSecond = task.maxPerSecond ?? MAX_PER_SECOND
    for (let moved = task.moved; moved < task.toMove;) {
      const source = index.byArn(task.sourceArn)
      if (!source) throw noSuchQueue()
      const queue = await open.of(source.doc)
      const some = await queue.move(Math.min(perSecond, task.toMove - moved), deliver)
      // Others have received them meanwhile.
      if (some === 0) return
      moved += some
      await progress(moved)
      if (moved < task.toMove) await sleep(clock, TICK_MS, signal)
    }
  }
  /** What becomes of the task; undefined when it goes on elsewhere, or after the next start. */
  const outcome = async (
    given: SqsMoveTask,
    lease: Lease,
    end: AbortController,
  ): Promise<Partial<SqsMoveTask> | undefined> => {
    const progress = async (moved: number) => {
      const mine = running.get(given.id)
      if (!mine) return
      if ((await leases.renew([lease])).length === 0) throw new RunsElsewhere()
      // Another node may have been told to cancel it.
      const stored = (await meta.get(keyOf(given)))?.doc as unknown as SqsMoveTask | undefined
      mine.task = { ...mine.task, moved }
      if (stored?.status === 'CANCELLING') end.abort()
      await save(mine.task)
    }
    try {
      if (given.status === 'CANCELLING') return CANCELLED
      await run(given, progress, end.signal)
      return { status: 'COMPLETED' }
    } catch (error) {
      if (isStopped || error instanceof RunsElsewhere) return undefined
      if (end.signal.aborted) return CANCELLED
      logger.warn('A task that moves messages has failed', { queue: given.sourceArn, error })
      const failure = error instanceof LambdaError ? queryCode(sqsModel, error.code) : 'InternalError'
      return { status: 'FAILED', failure }
    }
  }
  const launch = (task: SqsMoveTask) => {
    const end = new AbortController()
    const work = async () => {
      await leases.define(LEASE_KIND, [task.id])
      const [lease] = await leases.acquire(LEASE_KIND, 1, [task.id])
      if (!lease) return
      const change = await outcome(task, lease, end)
      const mine = running.get(task.id)
      if (change && mine) await save({ ...mine.task, ...change })
      await leases.release(lease)
    }
    const done = work()
      .catch((error: unknown) => logger.warn('The end of a task could not be stored', { error }))
      .finally(() => running.delete(task.id))
    running.set(task.id, { task, end, done })
  }

  return {
    of,
    async begin(source, asked) {
      const { account, region, name } = source
      const { visible } = (await open.of(source)).counts()
      const task: SqsMoveTask = {
        account,
        region,
        id: random.uuid(),
        source: name,
        ...asked,
        status: 'RUNNING',
        startedAt: clock.now(),
        moved: 0,
        toMove: visible,
      }
      const before = await of(source)
      const old = before.filter((one) => !isRunning(one)).slice(KEPT - 1)
      await meta.txn([
        { key: keyOf(task), doc: task as unknown as Json, ifRev: 0 },
        ...old.map((one) => ({ key: keyOf(one), doc: null })),
      ])
      launch(task)
      return task
    },
    async cancel(source, id) {
      const stored = (await of(source)).find((task) => task.id === id)
      if (!stored || !isRunning(stored)) return undefined
      const mine = running.get(id)
      const task: SqsMoveTask = { ...stored, status: 'CANCELLING' }
      if (mine) mine.task = task
      await save(task)
      mine?.end.abort()
      return task
    },
    async start() {
      for (let after = ''; ;) {
        const rows = await meta.list(ALL_SQS_TASKS, after, READ)
        for (const { doc } of rows) {
          const task = doc as unknown as SqsMoveTask
          if (isRunning(task)) launch(task)
        }
        after = rows.at(-1)?.key ?? ''
        if (rows.length < READ) return
      }
    },
    async stop() {
      isStopped = true
      const all = [...running.values()]
      for (const { end } of all) end.abort()
      await Promise.all(all.map(({ done }) => done))
    },
  }
}
