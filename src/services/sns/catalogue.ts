/**
 * Topics and subscriptions in memory, so that publishing reads no store. Filled from it and kept true by its change feed: who
 * has just changed a topic publishes to the changed one.
 */
import {
  SNS_SUBSCRIPTIONS,
  SNS_TOPICS,
  snsSubscriptionKey,
  snsTopicKey,
  type SnsSubscription,
  type SnsTopic,
} from '#contracts/sns.ts'
import type { EventPattern } from '#contracts/event-pattern/pattern.ts'
import type { Json } from '#kernel/json.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta } from '#store/port.ts'

import { follow } from '../iam/follow.ts'
import { parseFilterPolicy, type FilterScope } from './filter/parse-filter-policy.ts'
import type { SubscriptionName, TopicName } from './topic-arns.ts'

export interface Filter {
  readonly pattern: EventPattern
  readonly scope: FilterScope
}

export interface KnownSubscription {
  readonly doc: SnsSubscription
  /** Undefined: every message passes. */
  readonly filter: Filter | undefined
}

export interface Catalogue {
  /** Reads everything there is; nothing is known before it resolves. */
  start(): Promise<void>
  stop(): void
  topic(name: TopicName): SnsTopic | undefined
  subscription(name: SubscriptionName): KnownSubscription | undefined
  /** In the order of their keys. */
  subscriptionsOf(name: TopicName): readonly KnownSubscription[]
  topicCount(account: string): number
  /** Subscriptions with a filter policy: of a topic, of an account. */
  filterCount(name: TopicName): number
  /** Of every account. */
  allSubscriptions(): readonly KnownSubscription[]
}

export const filterScopeOf = (attributes: Readonly<Record<string, string>>): FilterScope =>
  attributes['FilterPolicyScope'] === 'MessageBody' ? 'MessageBody' : 'MessageAttributes'

/** What an older version took and this one can't read lets nothing pass: a receiver misses messages, but gets no wrong ones. */
const NOTHING: EventPattern = { fields: [{ name: '', tests: [] }], alternatives: [] }

function filterOf({ attributes }: SnsSubscription, logger: Logger): Filter | undefined {
  const text = attributes['FilterPolicy']
  if (text === undefined) return undefined
  const scope = filterScopeOf(attributes)
  const result = parseFilterPolicy(text, scope)
  if ('pattern' in result) return { pattern: result.pattern, scope }
  logger.error("A filter policy in the store can't be read: nothing passes it", { problem: result.problem })
  return { pattern: NOTHING, scope }
}

export function createCatalogue({
  meta,
  logger,
}: {
  readonly meta: Meta
  readonly logger: Logger
}): Catalogue {
  const topics = new Map<string, { readonly rev: number; readonly doc: SnsTopic }>()
  /** By the key of the topic, then by their own. */
  const subscriptions = new Map<string, Map<string, KnownSubscription & { readonly rev: number }>>()
  let stopWatching: (() => void) | undefined

  const topicKeyOf = (key: string) =>
    `${SNS_TOPICS}${key.slice(SNS_SUBSCRIPTIONS.length, key.lastIndexOf('/'))}`

  const applyTopic = (key: string, rev: number, doc: Json | null) => {
    if ((topics.get(key)?.rev ?? 0) > rev) return
    if (doc === null) topics.delete(key)
    else topics.set(key, { rev, doc: doc as unknown as SnsTopic })
  }
  const applySubscription = (key: string, rev: number, doc: Json | null) => {
    const topicKey = topicKeyOf(key)
    const siblings = subscriptions.get(topicKey)
    if ((siblings?.get(key)?.rev ?? 0) > rev) return
    if (doc === null) {
      siblings?.delete(key)
      if (siblings?.size === 0) subscriptions.delete(topicKey)
      return
    }
    const subscription = doc as unknown as SnsSubscription
    const known = { rev, doc: subscription, filter: filterOf(subscription, logger) }
    if (siblings) siblings.set(key, known)
    else subscriptions.set(topicKey, new Map([[key, known]]))
  }
  const apply = (key: string, rev: number, doc: Json | null) => {
    if (key.startsWith(SNS_TOPICS)) applyTopic(key, rev, doc)
    else if (key.startsWith(SNS_SUBSCRIPTIONS)) applySubscription(key, rev, doc)
  }
  const of = (name: TopicName) => [...(subscriptions.get(snsTopicKey(name, name.name))?.values() ?? [])]

  return {
    async start() {
      if (stopWatching) return
      stopWatching = await follow(meta, [SNS_TOPICS, SNS_SUBSCRIPTIONS], apply)
    },
    stop() {
      stopWatching?.()
      stopWatching = undefined
      topics.clear()
      subscriptions.clear()
    },
    topic: (name) => topics.get(snsTopicKey(name, name.name))?.doc,
    subscription: (name) =>
      subscriptions.get(snsTopicKey(name, name.topic))?.get(snsSubscriptionKey(name, name.topic, name.id)),
    subscriptionsOf: of,
    topicCount: (account) => {
      let count = 0
      for (const { doc } of topics.values()) if (doc.account === account) count++
      return count
    },
    filterCount: (name) => of(name).filter(({ filter }) => filter).length,
    allSubscriptions: () => [...subscriptions.values()].flatMap((siblings) => [...siblings.values()]),
  }
}
