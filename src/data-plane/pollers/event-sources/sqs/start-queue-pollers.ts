/** Starts pollers of queues: of another service at one endpoint, or of this program. */
import type { EventSourceMapping } from '#contracts/mapping.ts'
import type { FilterVault } from '#contracts/filter-vault.ts'
import { servingVersion, type FunctionHead } from '#contracts/function.ts'
import { functionKey } from '#contracts/keys.ts'
import type { ServiceCalls } from '#contracts/service-calls.ts'
import type { DocumentCache } from '#documents/port.ts'

import type { StartPoller } from '../event-source-pollers.ts'
import { createOwnQueueClient } from './own-queue-client.ts'
import { createQueueClient, type QueueClient, type QueueEndpoint } from './queue-client.ts'
import { startQueuePoller, type QueuePollerOptions } from './queue-poller.ts'

type Shared = Pick<
  QueuePollerOptions,
  'frontend' | 'places' | 'mostReceivers' | 'clock' | 'random' | 'logger' | 'metrics'
>

export interface QueuePollers {
  readonly start: StartPoller
  /** Ends the connections; call it when no poller runs any more. */
  close(): void
}

/** How the queue of a mapping is reached. */
export interface QueueClients {
  of(mapping: EventSourceMapping, region: string): QueueClient
  close(): void
}

/** All queues are another service's. */
export function createForeignQueueClients(
  options: Pick<Shared, 'clock'> & { readonly endpoint: QueueEndpoint },
): QueueClients {
  const clients = new Map<string, QueueClient>()
  /** Requests are signed for the region that the queue's ARN names. */
  const clientOf = (region: string) => {
    let client = clients.get(region)
    if (!client) {
      client = createQueueClient({ ...options, region })
      clients.set(region, client)
    }
    return client
  }
  return {
    of: (_mapping, region) => clientOf(region),
    close() {
      for (const client of clients.values()) client.close()
    },
  }
}

/** All queues are this program's. */
export const createOwnQueueClients = (options: {
  readonly calls: ServiceCalls
  readonly documents: Pick<DocumentCache, 'read'>
}): QueueClients => ({
  of({ account, region, functionName: name }, queueRegion) {
    const id = { account, region, name }
    return createOwnQueueClient({
      calls: options.calls,
      region: queueRegion,
      id,
      async role() {
        const head = (await options.documents.read(functionKey(id))) as unknown as FunctionHead | null
        return head?.latest && servingVersion(head).role
      },
    })
  },
  close() {},
})

export function createQueuePollers(
  options: Shared & { readonly clients: QueueClients; readonly filters: Pick<FilterVault, 'open'> },
): QueuePollers {
  const { clients, filters, ...shared } = options
  return {
    start(mapping: EventSourceMapping) {
      const { source, settings } = mapping
      if (source.kind !== 'sqs') throw new TypeError(`The source of mapping ${mapping.uuid} is no queue`)
      const client = clients.of(mapping, source.arn.split(':')[3] ?? '')
      const openFilters = () => filters.open(mapping, settings)
      return startQueuePoller({ ...shared, mapping, arn: source.arn, openFilters, client })
    },
    close: () => clients.close(),
  }
}
