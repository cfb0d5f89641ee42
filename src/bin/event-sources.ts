/** Event source mappings, wired: which kinds of sources are polled, and with what. */
import {
  createEventSourcePollers,
  type EventSourcePollers,
} from '#data-plane/pollers/event-sources/event-source-pollers.ts'
import {
  createForeignQueueClients,
  createOwnQueueClients,
  createQueuePollers,
} from '#data-plane/pollers/event-sources/sqs/start-queue-pollers.ts'
import type { FilterVault } from '#contracts/filter-vault.ts'
import type { ServiceCalls } from '#contracts/service-calls.ts'
import type { Frontend } from '#data-plane/frontend/port.ts'
import type { DocumentCache } from '#documents/port.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import { createSemaphore } from '#kernel/semaphore.ts'
import type { Logger, Metrics } from '#observability/port.ts'
import type { Store } from '#store/port.ts'

export interface QueueSettings {
  /** Empty: the queues of this program are polled. */
  readonly url: string
  /** Empty: requests go unsigned. */
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export function createEventSources(options: {
  readonly store: Store
  readonly filters: Pick<FilterVault, 'open'>
  readonly frontend: Pick<Frontend, 'invoke'>
  readonly queues: QueueSettings
  /** Reaches the queues of this program. */
  readonly calls: ServiceCalls
  readonly documents: Pick<DocumentCache, 'read'>
  /** Batches of all mappings that run at once. */
  readonly concurrency: number
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
}): EventSourcePollers {
  const { store, queues, concurrency, clock, logger, calls, documents, ...rest } = options
  const credentials = queues.accessKeyId
    ? { accessKeyId: queues.accessKeyId, secret: queues.secretAccessKey }
    : undefined
  const queuePollers = createQueuePollers({
    ...rest,
    clock,
    logger,
    clients:
      queues.url === ''
        ? createOwnQueueClients({ calls, documents })
        : createForeignQueueClients({ endpoint: { url: queues.url, credentials }, clock }),
    places: createSemaphore({ places: concurrency }),
    mostReceivers: concurrency,
  })
  const pollers = createEventSourcePollers({
    meta: store.meta,
    kinds: { sqs: queuePollers.start },
    clock,
    logger,
  })
  return {
    start: () => pollers.start(),
    apply: (mapping) => pollers.apply(mapping),
    drain: (deadlineMs) => pollers.drain(deadlineMs),
    async stop() {
      await pollers.stop()
      queuePollers.close()
    },
    get polled() {
      return pollers.polled
    },
  }
}
