/** Lists of subscriptions. */
import type { ListSubscriptionsByTopicInput, ListSubscriptionsInput } from '@aws-sdk/client-sns'

import {
  SNS_SUBSCRIPTIONS,
  snsSubscriptionArn,
  snsSubscriptionKey,
  snsTopicArn,
  type SnsSubscription,
} from '#contracts/sns.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { docOf } from '../iam/documents.ts'
import { requireTopic } from './sns-documents.ts'
import { snsPage } from './sns-page.ts'
import { readTopicArn } from './topic-arns.ts'

const view = (subscription: SnsSubscription) => ({
  SubscriptionArn: subscription.isPending ? 'PendingConfirmation' : snsSubscriptionArn(subscription),
  Owner: subscription.owner,
  Protocol: subscription.protocol,
  Endpoint: subscription.endpoint,
  TopicArn: snsTopicArn(subscription, subscription.topic),
})

export function createSubscriptionLists({ meta }: { readonly meta: Meta }): OperationHandlers {
  const list: OperationHandler<ListSubscriptionsInput, object> = async ({ NextToken }, context) => {
    const prefix = `${SNS_SUBSCRIPTIONS}${context.account}/${context.region}/`
    const { items, more } = await snsPage(meta, prefix, NextToken, (row) => view(docOf<SnsSubscription>(row)))
    return { Subscriptions: items, ...more }
  }
  const listByTopic: OperationHandler<ListSubscriptionsByTopicInput, object> = async (input, context) => {
    const name = readTopicArn(input.TopicArn, context, 'ListSubscriptionsByTopic')
    await requireTopic(meta, name)
    const prefix = snsSubscriptionKey(name, name.name, '')
    const { items, more } = await snsPage(meta, prefix, input.NextToken, (row) =>
      view(docOf<SnsSubscription>(row)),
    )
    return { Subscriptions: items, ...more }
  }
  return { ListSubscriptions: list, ListSubscriptionsByTopic: listByTopic }
}
