/** Starts pollers of queues that share one endpoint. */
import type { EventSourceMapping } from '#contracts/mapping.ts'
import type { FilterVault } from '#contracts/filter-vault.ts'

import type { StartPoller } from '../event-source-pollers.ts'
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

export function createQueuePollers(
  options: Shared & { readonly endpoint: QueueEndpoint; readonly filters: Pick<FilterVault, 'open'> },
): QueuePollers {
  const { endpoint, filters, ...shared } = options
  const clients = new Map<string, QueueClient>()
  /** Requests are signed for the region that the queue's ARN names. */
  const clientOf = (region: string) => {
    let client = clients.get(region)
    if (!client) {
      client = createQueueClient({ endpoint, region, clock: shared.clock })
      clients.set(region, client)
    }
    return client
  }
  return {
    start(mapping: EventSourceMapping) {
      const { source, settings } = mapping
      if (source.kind !== 'sqs') throw new TypeError(`The source of mapping ${mapping.uuid} is no queue`)
      const client = clientOf(source.arn.split(':')[3] ?? '')
      const openFilters = () => filters.open(mapping, settings)
      return startQueuePoller({ ...shared, mapping, arn: source.arn, openFilters, client })
    },
    close() {
      for (const client of clients.values()) client.close()
    },
  }
}
