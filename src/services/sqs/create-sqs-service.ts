/** SQS: queues of an account and region, durable in the log of the store. */
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'
import type { Logger } from '#observability/port.ts'
import type { Store } from '#store/port.ts'
import type { OperationHandlers, Principal } from '#wire/service.ts'

import { createAttributeOperations } from './attribute-operations.ts'
import { createChangeQueue } from './change-queue.ts'
import { createMoveTaskOperations } from './move-task-operations.ts'
import { createMoveTasks } from './move-tasks.ts'
import { createOpenQueues } from './open-queues.ts'
import { createQueueIndex } from './queue-index.ts'
import { createQueueOperations } from './queue-operations.ts'
import { createReceiveOperations } from './receive-operations.ts'
import { createResolveQueue } from './resolve-queue.ts'
import { createSendOperations } from './send-operations.ts'
import { createTagOperations } from './tag-operations.ts'

export interface SqsService extends Component {
  /** For the model `sqs`. */
  readonly handlers: OperationHandlers
}

export function createSqsService(deps: {
  readonly store: Pick<Store, 'meta' | 'queueLog' | 'leases'>
  /** What messages say of who sent them: `AIDA...`, `AROA...:SESSION`, or the account's number. */
  readonly senderId: (principal: Principal) => string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}): SqsService {
  const { store, senderId, clock, random, logger } = deps
  const { meta } = store
  const index = createQueueIndex({ meta })
  const open = createOpenQueues({ ...store, index, clock, random, logger })
  const tasks = createMoveTasks({ meta, leases: store.leases, index, open, clock, random, logger })
  const resolve = createResolveQueue({ index, open })
  const change = createChangeQueue({ meta })
  return {
    handlers: {
      ...createQueueOperations({ meta, index, open, resolve, change, clock }),
      ...createAttributeOperations({ index, open, resolve, change, clock }),
      ...createTagOperations({ resolve, change }),
      ...createSendOperations({ resolve, clock, random, senderId }),
      ...createReceiveOperations({ resolve }),
      ...createMoveTaskOperations({ index, tasks }),
    },
    async start() {
      await index.start()
      await open.start()
      await tasks.start()
    },
    drain: async () => {},
    async stop() {
      await tasks.stop()
      await open.stop()
      index.stop()
    },
  }
}
