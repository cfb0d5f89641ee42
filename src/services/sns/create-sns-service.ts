/** SNS: topics, subscriptions, and deliveries that survive the process. */
import type { CustomerKeys } from '#contracts/customer-keys.ts'
import type { ServiceCalls } from '#contracts/service-calls.ts'
import { snsSubscriptionKey } from '#contracts/sns.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Sealer } from '#kernel/sealed.ts'
import { HOUR_MS } from '#kernel/units.ts'
import type { Logger, Metrics } from '#observability/port.ts'
import type { Store } from '#store/port.ts'

import { remove } from '../iam/documents.ts'
import { createOutbox } from '../outbox/create-outbox.ts'
import { createCatalogue } from './catalogue.ts'
import { createConfirmations } from './confirmations.ts'
import { createDeliveryHandler } from './delivery/deliver.ts'
import { createReach } from './delivery/reachable.ts'
import { createHttpSender } from './delivery/send-http.ts'
import { createMessageVault } from './message-vault.ts'
import { createSigner } from './message-signer.ts'
import type { TopicService } from './port.ts'
import { createPublicDoor } from './public-door.ts'
import { createPublishOperations } from './publish-operations.ts'
import { createPublisher } from './publisher.ts'
import { createTagOperations } from './sns-tags.ts'
import { createSubscriptionLists } from './subscription-lists.ts'
import { createSubscriptionOperations } from './subscription-operations.ts'
import { createTopicOperations } from './topic-operations.ts'
import { createPolicyOperations } from './topic-policies.ts'

/** Number of the outbox's queue in the log. */
const QUEUE = 48
/** Places of one subscription, and of all: a few endpoints that never answer do not hold up the others. */
const PER_SUBSCRIPTION = 8
const CONCURRENCY = 256
const MAX_DELIVERIES = 200_000
/** A subscription that nobody has confirmed is gone after this (SNS's guide). */
const PENDING_MS = 72 * HOUR_MS
const SWEEP_MS = HOUR_MS

export function createSnsService(deps: {
  readonly store: Pick<Store, 'meta' | 'queueLog' | 'leases'>
  readonly sealer: Sealer
  /** Of customers, for topics that name one. */
  readonly keys: CustomerKeys
  readonly calls: ServiceCalls
  /** Whether endpoints may be services of this host itself. */
  readonly reachesLoopback: boolean
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics?: Metrics
}): TopicService {
  const { store, sealer, calls, clock, random, logger } = deps
  const { meta, queueLog, leases } = store
  const metrics = deps.metrics && { metrics: deps.metrics }
  const catalogue = createCatalogue({ meta, logger })
  const vault = createMessageVault({ keys: deps.keys, clock })
  const signer = createSigner({ meta, sealer, clock })
  const http = createHttpSender({ reach: createReach({ loopback: deps.reachesLoopback }) })
  const deliver = createDeliveryHandler({
    catalogue,
    signer,
    vault,
    calls,
    http,
    clock,
    random,
    logger,
    ...metrics,
  })
  const outbox = createOutbox({
    name: 'sns',
    queue: QUEUE,
    queueLog,
    leases,
    clock,
    logger,
    deliver,
    maxDepth: MAX_DELIVERIES,
    perLane: PER_SUBSCRIPTION,
    concurrency: CONCURRENCY,
    ...metrics,
  })
  const publisher = createPublisher({ catalogue, outbox, vault, clock, random })
  const confirmations = createConfirmations({ catalogue, outbox, signer, sealer, clock, random })
  const subscriptions = createSubscriptionOperations({ meta, catalogue, confirmations, clock, random })
  let cancelSweep = () => {}

  /** Subscriptions that were never confirmed, and those whose topic went while the process died. */
  const sweep = async () => {
    for (const { doc } of catalogue.allSubscriptions()) {
      const isLate = doc.isPending && doc.createdAt + PENDING_MS < clock.now()
      if (isLate || !catalogue.topic({ ...doc, name: doc.topic }))
        await meta.txn([remove(snsSubscriptionKey(doc, doc.topic, doc.id))])
    }
  }
  const sweepSoon = () => {
    cancelSweep = clock.after(SWEEP_MS, sweepNow)
  }
  const sweepNow = () => {
    sweep()
      .catch((error: unknown) => logger.warn('Subscriptions could not be swept', { error }))
      .finally(sweepSoon)
  }

  return {
    handlers: {
      ...createTopicOperations({ meta, catalogue, clock }),
      ...createPolicyOperations({ meta }),
      ...createTagOperations({ meta }),
      ...subscriptions.handlers,
      ...createSubscriptionLists({ meta }),
      ...createPublishOperations({ catalogue, publisher }),
    },
    publicDoor: createPublicDoor({ signer, subscriptions, random, logger }),
    async start() {
      await catalogue.start()
      await signer.start()
      await outbox.start()
      sweepNow()
    },
    drain: (deadlineMs) => outbox.drain(deadlineMs),
    async stop() {
      cancelSweep()
      await outbox.stop()
      http.close()
      catalogue.stop()
    },
  }
}
