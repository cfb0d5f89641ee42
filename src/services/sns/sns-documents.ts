/** Changes SNS's documents: reads, decides, writes on condition, once more when somebody else was faster. */
import { LambdaError } from '#contracts/errors.ts'
import { snsSubscriptionKey, snsTopicKey, type SnsSubscription, type SnsTopic } from '#contracts/sns.ts'
import type { Meta, MetaWrite } from '#store/port.ts'

import { commit as commitWrites, put, read } from '../iam/documents.ts'
import { noSuchSubscription, noSuchTopic, tooContended } from './sns-errors.ts'
import type { SubscriptionName, TopicName } from './topic-arns.ts'

/** As IAM's, with SNS's word for too many conflicts. */
export async function commit<Result>(
  meta: Meta,
  decide: () => Promise<{ readonly writes: readonly MetaWrite[]; readonly result: Result }>,
): Promise<Result> {
  try {
    return await commitWrites(meta, decide)
  } catch (error) {
    if (error instanceof LambdaError && error.code === 'ConcurrentModification') throw tooContended()
    throw error
  }
}

/** Throws NotFound. */
export async function requireTopic(meta: Meta, name: TopicName) {
  const topic = await read<SnsTopic>(meta, snsTopicKey(name, name.name))
  if (!topic) throw noSuchTopic()
  return topic
}

/** Throws NotFound. */
export async function requireSubscription(meta: Meta, name: SubscriptionName) {
  const subscription = await read<SnsSubscription>(meta, snsSubscriptionKey(name, name.topic, name.id))
  if (!subscription) throw noSuchSubscription()
  return subscription
}

export const changeTopic = (
  meta: Meta,
  name: TopicName,
  update: (topic: SnsTopic) => Partial<SnsTopic>,
): Promise<SnsTopic> =>
  commit(meta, async () => {
    const { doc, rev } = await requireTopic(meta, name)
    const after: SnsTopic = { ...doc, ...update(doc) }
    return { writes: [put(snsTopicKey(name, name.name), after, rev)], result: after }
  })

export const changeSubscription = (
  meta: Meta,
  name: SubscriptionName,
  update: (subscription: SnsSubscription) => Partial<SnsSubscription>,
): Promise<SnsSubscription> =>
  commit(meta, async () => {
    const { doc, rev } = await requireSubscription(meta, name)
    const after: SnsSubscription = { ...doc, ...update(doc) }
    return { writes: [put(snsSubscriptionKey(name, name.topic, name.id), after, rev)], result: after }
  })
