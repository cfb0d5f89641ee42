/** Starts pollers of queues that share one endpoint. */
import type { EventSourceMapping } from '#contracts/mapping.ts'
import { openFilters } from '#contracts/mapping-filters.ts'
import type { Sealer } from '#kernel/sealed.ts'

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
  options: Shared & { readonly endpoint: QueueEndpoint; readonly sealer: Sealer },
): QueuePollers {
  const { endpoint, sealer, ...shared } = options
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
      const patterns = openFilters(sealer, mapping, settings)
      // Without its filters a function would get what it must not see.
      if (patterns === 'sealed') throw new Error('The filters of the mapping can not be opened')
      const client = clientOf(source.arn.split(':')[3] ?? '')
      return startQueuePoller({ ...shared, mapping, arn: source.arn, patterns, client })
    },
    close() {
      for (const client of clients.values()) client.close()
    },
  }
}
