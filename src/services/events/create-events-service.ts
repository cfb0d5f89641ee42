/** Amazon EventBridge: buses, rules, targets, archives, replays, and the deliveries that come of them. */
import type { ServiceCalls } from '#contracts/service-calls.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'
import type { Logger, Metrics } from '#observability/port.ts'
import type { Store } from '#store/port.ts'
import type { OperationHandlers } from '#wire/service.ts'

import { createDispatcher } from '../outbox/create-dispatcher.ts'
import { createOutbox } from '../outbox/create-outbox.ts'
import { createArchiveOperations, emptyArchive } from './archive-operations.ts'
import { createBusOperations } from './bus-operations.ts'
import { createBusTable } from './bus-table.ts'
import { createEventPlans } from './deliver-event.ts'
import { createEventOperations } from './event-operations.ts'
import { createIngest } from './ingest.ts'
import { createReplayOperations } from './replay-operations.ts'
import { createReplayRunner } from './replay-runner.ts'
import { createRuleOperations } from './rule-operations.ts'
import { createRuleSchedules } from './rule-schedules.ts'
import { createTagOperations } from './tag-operations.ts'
import { createTargetOperations } from './target-operations.ts'

/** Of the outbox in the queue log, below 64 as all that put it into their ids: asynchronous events have 0 to 47, topics 48. */
const OUTBOX_QUEUE = 49
const DAY_MS = 86_400_000
/** Between two looks at what archives have kept long enough. */
const SWEEP_MS = 3_600_000

export interface EventsService extends Component {
  /** For the model `events`. */
  readonly handlers: OperationHandlers
  /** Deliveries that wait or are under way. */
  readonly pending: number
}

export function createEventsService(deps: {
  readonly store: Pick<Store, 'meta' | 'queueLog' | 'leases'>
  readonly calls: ServiceCalls
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics?: Metrics
}): EventsService {
  const { store, calls, clock, random, logger, metrics } = deps
  const { meta, queueLog, leases } = store
  const table = createBusTable({ meta, logger })
  const plan = createEventPlans({ meta, calls, clock, take: (events) => ingest.take(events) })
  const outbox = createOutbox({
    name: 'events',
    queue: OUTBOX_QUEUE,
    queueLog,
    leases,
    clock,
    logger,
    ...(metrics && { metrics }),
    deliver: createDispatcher({
      name: 'events',
      calls,
      clock,
      random,
      logger,
      ...(metrics && { metrics }),
      plan,
    }),
  })
  const ingest = createIngest({ table, outbox, clock })
  const schedules = createRuleSchedules({ meta, table, ingest, outbox, clock, random, logger })
  const replays = createReplayRunner({ meta, ingest, clock, logger })
  let cancelSweep = () => {}
  let isStopped = false

  const sweep = async () => {
    try {
      for (const archive of table.archives()) {
        if (archive.retentionDays > 0) {
          await emptyArchive(meta, archive, clock.now() - archive.retentionDays * DAY_MS)
        }
      }
    } catch (error) {
      logger.warn('Archives are looked through later', { error })
    }
    if (!isStopped) cancelSweep = clock.after(SWEEP_MS, () => void sweep())
  }

  return {
    handlers: {
      ...createBusOperations({ meta, clock }),
      ...createRuleOperations({ meta, clock }),
      ...createTargetOperations({ meta, clock }),
      ...createTagOperations({ meta, clock }),
      ...createEventOperations({ ingest, clock, random, logger }),
      ...createArchiveOperations({ meta, clock }),
      ...createReplayOperations({ meta, clock, run: replays.run }),
    },
    get pending() {
      return outbox.depth()
    },
    async start() {
      await schedules.load()
      await table.start()
      await outbox.start()
      schedules.run()
      await replays.start()
      cancelSweep = clock.after(SWEEP_MS, () => void sweep())
    },
    async drain(deadlineMs) {
      schedules.stop()
      await replays.drain(deadlineMs)
      await outbox.drain(deadlineMs)
    },
    async stop() {
      isStopped = true
      cancelSweep()
      schedules.stop()
      await replays.stop()
      await outbox.stop()
      table.stop()
    },
  }
}
