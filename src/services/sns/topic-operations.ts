/** Topics: made, changed, listed, deleted. */
import type {
  CreateTopicInput,
  DeleteTopicInput,
  GetTopicAttributesInput,
  ListTopicsInput,
  SetTopicAttributesInput,
} from '@aws-sdk/client-sns'

import { SNS_TOPICS, snsSubscriptionKey, snsTopicArn, snsTopicKey, type SnsTopic } from '#contracts/sns.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { docOf, put, read, remove } from '../iam/documents.ts'
import type { Catalogue } from './catalogue.ts'
import { changeTopic, commit } from './sns-documents.ts'
import { snsPage } from './sns-page.ts'
import { invalidParameter, noSuchTopic, tooManyTopics } from './sns-errors.ts'
import { sameTags, tagsOf } from './sns-tags.ts'
import { checkDataProtection } from './topic-policies.ts'
import { readTopicArn, TOPIC_NAME } from './topic-arns.ts'
import { topicAttributesView, withTopicAttribute } from './topic-attributes.ts'

/** AWS's default quotas of an account. */
const MAX_TOPICS = 100_000
/** Documents that are deleted at a time. */
const CHUNK = 200

export function createTopicOperations(deps: {
  readonly meta: Meta
  readonly catalogue: Catalogue
  readonly clock: Clock
}): OperationHandlers {
  const { meta, catalogue, clock } = deps

  const createTopic: OperationHandler<CreateTopicInput, object> = async (input, context) => {
    const { account, region } = context
    const name = input.Name ?? ''
    const given = { ...input.Attributes }
    const isFifo = readKind(name, given['FifoTopic'])
    delete given['FifoTopic']
    const tags = tagsOf(input.Tags)
    let attributes: SnsTopic['attributes'] = {}
    for (const [attribute, value] of Object.entries(given)) {
      attributes = withTopicAttribute({ isFifo, attributes }, attribute, value, 'create')
    }
    const policy = input.DataProtectionPolicy
    if (policy !== undefined) checkDataProtection(policy)
    const result = { TopicArn: snsTopicArn({ account, region }, name) }
    return await commit(meta, async () => {
      const key = snsTopicKey({ account, region }, name)
      const before = await read<SnsTopic>(meta, key)
      if (before) {
        checkSame(before.doc, { attributes, tags: input.Tags && tags })
        return { writes: [], result }
      }
      if (catalogue.topicCount(account) >= MAX_TOPICS) throw tooManyTopics()
      const topic: SnsTopic = {
        account,
        region,
        name,
        createdAt: clock.now(),
        isFifo,
        attributes,
        tags,
        deletedSubscriptions: 0,
        ...(policy !== undefined && { dataProtectionPolicy: policy }),
      }
      return { writes: [put(key, topic, 0)], result }
    })
  }

  const deleteTopic: OperationHandler<DeleteTopicInput, object> = async ({ TopicArn }, context) => {
    const name = readTopicArn(TopicArn, context, 'DeleteTopic')
    await meta.txn([remove(snsTopicKey(name, name.name))])
    const subscriptions = catalogue.subscriptionsOf(name)
    for (let from = 0; from < subscriptions.length; from += CHUNK) {
      await meta.txn(
        subscriptions
          .slice(from, from + CHUNK)
          .map(({ doc }) => remove(snsSubscriptionKey(doc, doc.topic, doc.id))),
      )
    }
    return {}
  }

  const getTopicAttributes: OperationHandler<GetTopicAttributesInput, object> = async (
    { TopicArn },
    context,
  ) => {
    const name = readTopicArn(TopicArn, context, 'GetTopicAttributes')
    const topic = catalogue.topic(name)
    if (!topic) throw noSuchTopic()
    const all = catalogue.subscriptionsOf(name)
    const pending = all.filter(({ doc }) => doc.isPending).length
    return { Attributes: topicAttributesView(topic, { pending, confirmed: all.length - pending }) }
  }

  const setTopicAttributes: OperationHandler<SetTopicAttributesInput, object> = async (input, context) => {
    const { AttributeName = '', AttributeValue = '' } = input
    const name = readTopicArn(input.TopicArn, context, 'SetTopicAttributes')
    if (AttributeName === 'FifoTopic') throw invalidParameter('AttributeName')
    await changeTopic(meta, name, (topic) => ({
      attributes: withTopicAttribute(topic, AttributeName, AttributeValue, 'set'),
    }))
    return {}
  }

  const listTopics: OperationHandler<ListTopicsInput, object> = async ({ NextToken }, scope) => {
    const { account, region } = scope
    const { items, more } = await snsPage(meta, `${SNS_TOPICS}${account}/${region}/`, NextToken, (row) => ({
      TopicArn: snsTopicArn(scope, docOf<SnsTopic>(row).name),
    }))
    return { Topics: items, ...more }
  }

  return {
    CreateTopic: createTopic,
    DeleteTopic: deleteTopic,
    GetTopicAttributes: getTopicAttributes,
    SetTopicAttributes: setTopicAttributes,
    ListTopics: listTopics,
  }
}

/** Whether it is a FIFO topic. Throws InvalidParameter. */
function readKind(name: string, fifo: string | undefined): boolean {
  const isFifo = fifo === 'true'
  // Text as clients report it.
  if (isFifo && (!name.endsWith('.fifo') || !TOPIC_NAME.test(name))) {
    throw invalidParameter(
      'Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long.',
    )
  }
  if (!TOPIC_NAME.test(name) || (!isFifo && name.endsWith('.fifo'))) throw invalidParameter('Topic Name')
  return isFifo
}

function checkSame(
  before: SnsTopic,
  asked: {
    readonly attributes: SnsTopic['attributes']
    readonly tags: SnsTopic['tags'] | undefined
  },
): void {
  const shown = topicAttributesView(before, { pending: 0, confirmed: 0 })
  for (const [name, value] of Object.entries(asked.attributes)) {
    if ((shown[name] ?? '') !== value) {
      throw invalidParameter('Attributes Reason: Topic already exists with different attributes')
    }
  }
  if (asked.tags && !sameTags(before.tags, asked.tags)) {
    throw invalidParameter('Tags Reason: Topic already exists with different tags')
  }
}
