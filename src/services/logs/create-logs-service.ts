/** CloudWatch Logs: what functions print, kept in a database of its own and served through AWS's API. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import { HOUR_MS } from '#kernel/units.ts'
import type { Logger, LogSink, Metrics } from '#observability/port.ts'
import type { OperationHandlers } from '#wire/service.ts'

import { createEventOperations } from './event-operations.ts'
import { createGroupOperations } from './group-operations.ts'
import { createLogBuffer } from './log-buffer.ts'
import { createInlineStorage } from './storage/inline-storage.ts'
import type { LogOperationName, LogOperations, LogStorage } from './storage/operations.ts'
import { openThreadStorage } from './storage/thread-storage.ts'
import { createStreamOperations } from './stream-operations.ts'

export interface LogsServiceOptions {
  /** Data directory, where `logs.db` is kept; `memory` keeps nothing and blocks, for tests. */
  readonly storage: { readonly directory: string } | 'memory'
  readonly clock: Clock
  readonly logger?: Logger
  readonly metrics?: Metrics
}

export interface LogsService extends Component {
  /** For the model `logs`, signing name `logs`, target prefix `Logs_20140328`. */
  readonly handlers: OperationHandlers
  /** Takes events at any time between `start` and `stop`; a group and a stream are created when they are first used. */
  readonly sink: LogSink
}

const REPORT_EVERY_MS = 10_000
const SWEEP_EVERY_MS = HOUR_MS
/** Events removed in one go, and the pause after it, so that a sweep of millions holds up nobody. */
const SWEEP_EVENTS = 5000
const SWEEP_PAUSE_MS = 50

export function createLogsService(options: LogsServiceOptions): LogsService {
  const { clock, logger, metrics } = options
  let opened: LogStorage | undefined
  let stopped = false
  let cancelSweep: (() => void) | undefined

  const storage: LogStorage = {
    call<Name extends LogOperationName>(operation: Name, args: LogOperations[Name]['args']) {
      return opened
        ? opened.call(operation, args)
        : Promise.reject(new Error('The logs service is not started'))
    },
    close: async () => {},
  }
  let lastReport = Number.NEGATIVE_INFINITY
  /** A full disk fails every write; the program's own log should not fill up with it. */
  const reportSometimes = (error: unknown) => {
    if (clock.monotonic() - lastReport < REPORT_EVERY_MS) return
    lastReport = clock.monotonic()
    logger?.error('Log events of functions could not be stored', { error })
  }
  const buffer = createLogBuffer({
    write: (batches) => storage.call('append', { batches, ingestedAt: clock.now() }),
    clock,
    metrics,
    onError: reportSometimes,
  })

  const sweepSoon = (delayMs: number) => {
    if (!stopped) cancelSweep = clock.after(delayMs, () => void sweep())
  }
  const sweep = async () => {
    try {
      const { removed } = await storage.call('sweep', { now: clock.now(), limit: SWEEP_EVENTS })
      sweepSoon(removed < SWEEP_EVENTS ? SWEEP_EVERY_MS : SWEEP_PAUSE_MS)
    } catch (error) {
      if (stopped) return
      logger?.warn('Old log events could not be removed', { error })
      sweepSoon(SWEEP_EVERY_MS)
    }
  }
  /** A deletion leaves work behind; the events should not stay for an hour. */
  const afterDeletion = (handlers: OperationHandlers, name: string): OperationHandlers => {
    const handler = handlers[name]
    if (!handler) return handlers
    return {
      ...handlers,
      [name]: async (input, context) => {
        const output = await handler(input, context)
        cancelSweep?.()
        sweepSoon(SWEEP_PAUSE_MS)
        return output
      },
    }
  }

  return {
    handlers: {
      ...afterDeletion(createGroupOperations({ storage, clock }), 'DeleteLogGroup'),
      ...afterDeletion(createStreamOperations({ storage, clock }), 'DeleteLogStream'),
      ...createEventOperations({ storage, clock }),
    },
    sink: buffer,
    async start() {
      if (opened || stopped) return
      opened = await open(options.storage)
      sweepSoon(SWEEP_EVERY_MS)
    },
    drain: (deadlineMs) => buffer.drain(deadlineMs),
    async stop() {
      stopped = true
      cancelSweep?.()
      buffer.stop()
      await opened?.close()
    },
  }
}

async function open(where: LogsServiceOptions['storage']): Promise<LogStorage> {
  if (where === 'memory') return createInlineStorage()
  await mkdir(where.directory, { recursive: true })
  return openThreadStorage(join(where.directory, 'logs.db'))
}
