/** Actions and resources of SNS. Subscriptions are no resources: who asks about one needs it for everything. Pure. */
import { snsTopicArn } from '#contracts/sns.ts'
import { snsModel } from '#wire/models/sns.ts'

import {
  accountOf,
  keysOf,
  members,
  tagKeys,
  text,
  type Need,
  type NeedsOf,
  type ServiceNeeds,
} from './need.ts'

const TOPIC = /^arn:[^:]+:sns:([^:]+):(\d{12}):([^:]+)$/

function topicPolicy(arn: string): Need['policy'] {
  const [, region, account, name] = TOPIC.exec(arn) ?? []
  return region === undefined || account === undefined || name === undefined
    ? undefined
    : { kind: 'sns-topic', account, region, name }
}

const tagsOf = (given: unknown) => {
  const tags = Array.isArray(given) ? given.map(members) : []
  return tagKeys(Object.fromEntries(tags.map(({ Key, Value }) => [String(Key), Value] as const)))
}

const onTopic =
  (operation: string): NeedsOf =>
  (input, { account, region }) => {
    const named = text(input['TopicArn']) ?? text(input['TargetArn']) ?? text(input['ResourceArn'])
    const made = text(input['Name'])
    const resource = named ?? (made === undefined ? '*' : snsTopicArn({ account, region }, made))
    const policy = topicPolicy(resource)
    const keys = {
      ...tagsOf(input['Tags']),
      ...keysOf({ 'sns:endpoint': text(input['Endpoint']), 'sns:protocol': text(input['Protocol']) }),
    }
    const need = (action: string): Need => ({
      // A batch needs what one message needs.
      action: `SNS:${action === 'PublishBatch' ? 'Publish' : action}`,
      resource,
      account: accountOf(`${resource}:`) ?? account,
      keys,
      ...(policy && { policy }),
    })
    const isTagged = operation === 'CreateTopic' && Array.isArray(input['Tags']) && input['Tags'].length > 0
    return isTagged ? [need(operation), need('TagResource')] : [need(operation)]
  }

export const snsNeeds: ServiceNeeds = Object.fromEntries(
  Object.keys(snsModel.operations).map((operation) => [operation, onTopic(operation)]),
)
