/** Subscriptions: made, confirmed, changed, ended. */
import type {
  ConfirmSubscriptionInput,
  GetSubscriptionAttributesInput,
  SetSubscriptionAttributesInput,
  SubscribeInput,
  UnsubscribeInput,
} from '@aws-sdk/client-sns'

import {
  snsSubscriptionArn,
  snsSubscriptionKey,
  snsTopicKey,
  type SnsProtocol,
  type SnsSubscription,
  type SnsTopic,
} from '#contracts/sns.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers, RequestContext } from '#wire/service.ts'

import { put, read, remove } from '../iam/documents.ts'
import type { Catalogue } from './catalogue.ts'
import { type Confirmations, isToken } from './confirmations.ts'
import { readEndpoint } from './endpoints.ts'
import { changeSubscription, commit, requireTopic } from './sns-documents.ts'
import {
  invalid,
  invalidParameter,
  missing,
  noSuchSubscription,
  notAuthorized,
  tooManyFilters,
  tooManySubscriptions,
} from './sns-errors.ts'
import { subscriptionAttributesView, withAttributes } from './subscription-attributes.ts'
import { readSubscriptionArn, readTopicArn, TOPIC_NAME, type Asker, type TopicName } from './topic-arns.ts'
import { isLargeMessageTopic } from './topic-attributes.ts'

/** Subscriptions of a topic. AWS has 12,500,000 for standard topics; these are all kept in memory. */
const MAX_SUBSCRIPTIONS = 10_000
const MAX_FIFO_SUBSCRIPTIONS = 100
const MAX_LARGE_MESSAGE_SUBSCRIPTIONS = 100
const MAX_FILTERS = 200
const PENDING = 'pending confirmation'

export interface SubscriptionOperations {
  readonly handlers: OperationHandlers
  /** As the handlers, for anonymous askers as well. */
  confirm(input: ConfirmSubscriptionInput, asker: Asker): Promise<object>
  unsubscribe(input: UnsubscribeInput, asker: Asker): Promise<object>
}

export function createSubscriptionOperations(deps: {
  readonly meta: Meta
  readonly catalogue: Catalogue
  readonly confirmations: Confirmations
  readonly clock: Clock
  readonly random: Random
}): SubscriptionOperations {
  const { meta, catalogue, confirmations, clock, random } = deps

  const subscribe: OperationHandler<SubscribeInput, object> = async (input, context) => {
    const { Protocol = '', Endpoint = '', Attributes = {}, ReturnSubscriptionArn = false } = input
    const name = readTopicArn(input.TopicArn, context, 'Subscribe')
    const { doc: topic } = await requireTopic(meta, name)
    const protocol = readEndpoint(topic, Protocol, Endpoint)
    const target = { topic, protocol, endpoint: Endpoint }
    const attributes = withAttributes({}, Attributes, target, 'create')
    const before = existing(name, protocol, Endpoint)
    const subscription = before
      ? await again(before, attributes)
      : await make({ topic, protocol, endpoint: Endpoint, attributes, context })
    if (subscription.isPending) await confirmations.ask(subscription)
    const isTold = ReturnSubscriptionArn || !subscription.isPending
    return { SubscriptionArn: isTold ? snsSubscriptionArn(subscription) : PENDING }
  }

  const existing = (name: TopicName, protocol: SnsProtocol, endpoint: string) =>
    catalogue.subscriptionsOf(name).find(({ doc }) => doc.protocol === protocol && doc.endpoint === endpoint)
      ?.doc

  /** The same subscription once more: a pending one is asked for confirmation again, with a new token. */
  const again = async (
    before: SnsSubscription,
    attributes: SnsSubscription['attributes'],
  ): Promise<SnsSubscription> => {
    for (const [name, value] of Object.entries(attributes)) {
      const isDefault = name === 'RawMessageDelivery' && value === 'false'
      if (before.attributes[name] !== value && !(isDefault && before.attributes[name] === undefined)) {
        throw invalidParameter('Attributes Reason: Subscription already exists with different attributes')
      }
    }
    if (!before.isPending) return before
    return await changeSubscription(meta, before, () => ({
      token: confirmations.newToken(),
      createdAt: clock.now(),
    }))
  }

  const make = async (asked: {
    readonly topic: SnsTopic
    readonly protocol: SnsProtocol
    readonly endpoint: string
    readonly attributes: SnsSubscription['attributes']
    readonly context: RequestContext
  }): Promise<SnsSubscription> => {
    const { topic, protocol, endpoint, attributes, context } = asked
    checkQuotas(topic, attributes)
    const { account, region, name } = topic
    const isPending = protocol !== 'sqs' && protocol !== 'lambda' && protocol !== 'sms'
    const subscription: SnsSubscription = {
      account,
      region,
      topic: name,
      id: random.uuid(),
      owner: context.account,
      principal: context.principal.arn,
      protocol,
      endpoint,
      createdAt: clock.now(),
      isPending,
      isAuthenticated: !isPending,
      authenticatesUnsubscribe: false,
      token: isPending ? confirmations.newToken() : '',
      attributes,
      baseUrl: context.endpoint,
    }
    return await commit(meta, async () => {
      const { doc, rev } = await requireTopic(meta, topic)
      // Two that subscribe the same at once make one of it; the topic is written so that one of them notices.
      const other = existing(topic, protocol, endpoint)
      if (other) return { writes: [], result: other }
      const key = snsSubscriptionKey(topic, name, subscription.id)
      return {
        writes: [put(key, subscription, 0), put(snsTopicKey(topic, name), doc, rev)],
        result: subscription,
      }
    })
  }

  const checkQuotas = (topic: SnsTopic, attributes: SnsSubscription['attributes']) => {
    const count = catalogue.subscriptionsOf(topic).length
    if (isLargeMessageTopic(topic) && count >= MAX_LARGE_MESSAGE_SUBSCRIPTIONS) {
      // From SNS's guide, "Publishing large messages"; text unverified.
      throw invalidParameter(
        'Subscriptions Reason: Topics with large messages have at most 100 subscriptions',
      )
    }
    if (count >= (topic.isFifo ? MAX_FIFO_SUBSCRIPTIONS : MAX_SUBSCRIPTIONS)) throw tooManySubscriptions()
    if (attributes['FilterPolicy'] !== undefined && catalogue.filterCount(topic) >= MAX_FILTERS)
      throw tooManyFilters()
  }

  const confirm: SubscriptionOperations['confirm'] = async (input, asker) => {
    const token = input.Token ?? ''
    const name = topicOfConfirmation(input.TopicArn ?? '', asker)
    if (!isToken(token)) throw invalidParameter('Token')
    const found = confirmations.find(name, token)
    if (!found) throw invalid('Invalid token')
    const { isAnonymous = false } = asker
    const authenticates = input.AuthenticateOnUnsubscribe === 'true'
    const subscription = await commit(meta, async () => {
      const { doc: topic, rev } = await requireTopic(meta, name)
      const key = snsSubscriptionKey(found, found.topic, found.id)
      const before = await read<SnsSubscription>(meta, key)
      if (before && !before.doc.isPending) return { writes: [], result: before.doc }
      const after: SnsSubscription = {
        ...(before?.doc ?? found),
        isPending: false,
        isAuthenticated: !isAnonymous,
        authenticatesUnsubscribe: authenticates && !isAnonymous,
      }
      return {
        writes: [put(key, after, before?.rev ?? 0), put(snsTopicKey(name, name.name), topic, rev)],
        result: after,
      }
    })
    return { SubscriptionArn: snsSubscriptionArn(subscription) }
  }

  const unsubscribe: SubscriptionOperations['unsubscribe'] = async (input, asker) => {
    const { SubscriptionArn: arn } = input
    const name = readSubscriptionArn(arn, asker, 'Unsubscribe')
    const known = catalogue.subscription(name)?.doc
    // Ending what has ended is no mistake (recorded from AWS).
    if (!known) return {}
    // That queues and functions are the owner's to end, whoever has the link, is unverified.
    const isOwners = known.authenticatesUnsubscribe || known.protocol === 'sqs' || known.protocol === 'lambda'
    if (asker.isAnonymous && isOwners) throw notAuthorized(asker.principal.arn, 'Unsubscribe', arn ?? '')
    const ended = await commit(meta, async () => {
      const key = snsSubscriptionKey(name, name.topic, name.id)
      const before = await read<SnsSubscription>(meta, key)
      if (!before) return { writes: [], result: undefined }
      const topicKey = snsTopicKey(name, name.topic)
      const topic = await read<SnsTopic>(meta, topicKey)
      const counted = topic && {
        ...topic.doc,
        deletedSubscriptions: topic.doc.deletedSubscriptions + (before.doc.isPending ? 0 : 1),
      }
      return {
        writes: [remove(key, before.rev), ...(topic && counted ? [put(topicKey, counted, topic.rev)] : [])],
        result: before.doc,
      }
    })
    if (ended && !ended.isPending) await confirmations.tellEnd(ended)
    return {}
  }

  const getAttributes: OperationHandler<GetSubscriptionAttributesInput, object> = async (input, context) => {
    const name = readSubscriptionArn(input.SubscriptionArn, context, 'GetSubscriptionAttributes')
    const known = catalogue.subscription(name)?.doc
    if (!known) throw noSuchSubscription()
    const topic = catalogue.topic({ ...name, name: name.topic })
    return { Attributes: subscriptionAttributesView(known, topic) }
  }

  const setAttributes: OperationHandler<SetSubscriptionAttributesInput, object> = async (input, context) => {
    const { AttributeName = '', AttributeValue = '' } = input
    const name = readSubscriptionArn(input.SubscriptionArn, context, 'SetSubscriptionAttributes')
    const topic = catalogue.topic({ ...name, name: name.topic })
    if (!topic) throw noSuchSubscription()
    await changeSubscription(meta, name, ({ attributes, protocol, endpoint }) => {
      const after = withAttributes(
        attributes,
        { [AttributeName]: AttributeValue },
        { topic, protocol, endpoint },
        'set',
      )
      const isNewFilter = after['FilterPolicy'] !== undefined && attributes['FilterPolicy'] === undefined
      if (isNewFilter && catalogue.filterCount(topic) >= MAX_FILTERS) throw tooManyFilters()
      return { attributes: after }
    })
    return {}
  }

  return {
    handlers: {
      Subscribe: subscribe,
      ConfirmSubscription: confirm,
      Unsubscribe: unsubscribe,
      GetSubscriptionAttributes: getAttributes,
      SetSubscriptionAttributes: setAttributes,
    } satisfies OperationHandlers,
    confirm,
    unsubscribe,
  }
}

/** Confirming words what is wrong with the topic in its own way (recorded from AWS). */
function topicOfConfirmation(arn: string, { region: asked }: Asker): TopicName {
  if (arn === '') throw missing('TopicArn')
  const [, , service, region = '', account = '', name = '', ...more] = arn.split(':')
  if (service !== 'sns' || region !== asked || more.length > 0 || !TOPIC_NAME.test(name))
    throw invalidParameter('Topic')
  return { account, region, name }
}
