/** Amazon EventBridge Scheduler: schedules, their groups, and what they call when they are due. */
import type { ServiceCalls } from '#contracts/service-calls.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'
import type { Logger, Metrics } from '#observability/port.ts'
import type { Store } from '#store/port.ts'
import type { ServiceModel } from '#wire/model.ts'
import type { OperationHandlers } from '#wire/service.ts'

import { createDispatcher } from '../outbox/create-dispatcher.ts'
import { createOutbox } from '../outbox/create-outbox.ts'
import { createSchedulePlans } from './deliver-schedule.ts'
import { createGroupOperations } from './group-operations.ts'
import { createScheduleEngine, type DeliveryBody } from './schedule-engine.ts'
import { createScheduleOperations } from './schedule-operations.ts'

/** Of the outbox in the queue log, below 64 as all that put it into their ids; that of EventBridge has 49. */
const OUTBOX_QUEUE = 50

export interface SchedulerService extends Component {
  /** For the model `scheduler`. */
  readonly handlers: OperationHandlers
  /** Deliveries that wait or are under way. */
  readonly pending: number
}

export function createSchedulerService(deps: {
  readonly store: Pick<Store, 'meta' | 'queueLog' | 'leases'>
  readonly calls: ServiceCalls
  /** Of the services that universal targets may call. */
  readonly modelOf: (service: string) => ServiceModel | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics?: Metrics
}): SchedulerService {
  const { store, calls, modelOf, clock, random, logger, metrics } = deps
  const { meta, queueLog, leases } = store
  const markFired = (body: DeliveryBody) => engine.markFired(body)
  const outbox = createOutbox({
    name: 'scheduler',
    queue: OUTBOX_QUEUE,
    queueLog,
    leases,
    clock,
    logger,
    ...(metrics && { metrics }),
    deliver: createDispatcher({
      name: 'scheduler',
      calls,
      clock,
      random,
      logger,
      ...(metrics && { metrics }),
      plan: createSchedulePlans({ calls, modelOf, markFired }),
    }),
  })
  const engine = createScheduleEngine({ meta, outbox, clock, random, logger })

  return {
    handlers: {
      ...createScheduleOperations({ meta, clock }),
      ...createGroupOperations({ meta, clock }),
    },
    get pending() {
      return outbox.depth()
    },
    async start() {
      await engine.load()
      await outbox.start()
      engine.run()
    },
    async drain(deadlineMs) {
      engine.stop()
      await outbox.drain(deadlineMs)
    },
    async stop() {
      engine.stop()
      await outbox.stop()
    },
  }
}
