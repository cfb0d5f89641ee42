/** Who may use a topic, and what may stand in its messages. */
import type {
  AddPermissionInput,
  GetDataProtectionPolicyInput,
  PutDataProtectionPolicyInput,
  RemovePermissionInput,
} from '@aws-sdk/client-sns'

import { snsTopicArn, type SnsTopic } from '#contracts/sns.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { changeTopic, requireTopic } from './sns-documents.ts'
import { invalidParameter } from './sns-errors.ts'
import { readTopicArn } from './topic-arns.ts'
import { defaultTopicPolicy } from './topic-attributes.ts'

interface Statement {
  readonly Sid?: string
  readonly [member: string]: unknown
}

interface Policy {
  readonly Statement: readonly Statement[]
  readonly [member: string]: unknown
}

/** What may be granted (API reference). */
const ACTIONS = new Set([
  'AddPermission',
  'DeleteTopic',
  'GetDataProtectionPolicy',
  'GetTopicAttributes',
  'ListSubscriptionsByTopic',
  'ListTagsForResource',
  'Publish',
  'PutDataProtectionPolicy',
  'RemovePermission',
  'SetTopicAttributes',
  'Subscribe',
])
const MAX_DATA_PROTECTION = 30_720

function policyOf(topic: SnsTopic): Policy {
  const text = topic.attributes['Policy']
  const policy = text === undefined ? defaultTopicPolicy(topic) : (JSON.parse(text) as Policy)
  return { ...policy, Statement: [policy.Statement ?? []].flat() }
}

/** The policy itself is kept and given back; messages are not looked into. */
export function checkDataProtection(text: string): void {
  let isObject = false
  try {
    const policy = JSON.parse(text) as unknown
    isObject = policy !== null && typeof policy === 'object' && !Array.isArray(policy)
  } catch {
    // Told below.
  }
  // Texts unverified.
  if (!isObject) throw invalidParameter('DataProtectionPolicy Reason: The policy is not valid JSON')
  if (text.length > MAX_DATA_PROTECTION)
    throw invalidParameter('DataProtectionPolicy Reason: The policy is too long')
}

export function createPolicyOperations({ meta }: { readonly meta: Meta }): OperationHandlers {
  const addPermission: OperationHandler<AddPermissionInput, object> = async (input, context) => {
    const { Label = '', AWSAccountId: accounts = [], ActionName: actions = [] } = input
    const name = readTopicArn(input.TopicArn, context, 'AddPermission')
    // Texts as clients report them.
    if (!actions.every((action) => ACTIONS.has(action)))
      throw invalidParameter('Policy statement action out of service scope!')
    await changeTopic(meta, name, (topic) => {
      const policy = policyOf(topic)
      if (policy.Statement.some(({ Sid }) => Sid === Label))
        throw invalidParameter('Statement already exists')
      const arn = snsTopicArn(topic, topic.name)
      const partition = arn.split(':', 2).join(':')
      const principals = accounts.map((account) => `${partition}:iam::${account}:root`)
      const granted = actions.map((action) => `SNS:${action}`)
      const statement: Statement = {
        Sid: Label,
        Effect: 'Allow',
        Principal: { AWS: principals.length === 1 ? principals[0] : principals },
        Action: granted.length === 1 ? granted[0] : granted,
        Resource: arn,
      }
      const after = { ...policy, Statement: [...policy.Statement, statement] }
      return { attributes: { ...topic.attributes, Policy: JSON.stringify(after) } }
    })
    return {}
  }

  const removePermission: OperationHandler<RemovePermissionInput, object> = async (input, context) => {
    const name = readTopicArn(input.TopicArn, context, 'RemovePermission')
    await changeTopic(meta, name, (topic) => {
      const policy = policyOf(topic)
      const left = policy.Statement.filter(({ Sid }) => Sid !== input.Label)
      if (left.length === policy.Statement.length) return {}
      return {
        attributes: { ...topic.attributes, Policy: JSON.stringify({ ...policy, Statement: left }) },
      }
    })
    return {}
  }

  const putDataProtection: OperationHandler<PutDataProtectionPolicyInput, object> = async (
    input,
    context,
  ) => {
    const text = input.DataProtectionPolicy ?? ''
    const name = readTopicArn(input.ResourceArn, context, 'PutDataProtectionPolicy', 'ResourceArn')
    if (text !== '') checkDataProtection(text)
    await changeTopic(meta, name, () => ({ dataProtectionPolicy: text }))
    return {}
  }

  const getDataProtection: OperationHandler<GetDataProtectionPolicyInput, object> = async (
    input,
    context,
  ) => {
    const name = readTopicArn(input.ResourceArn, context, 'GetDataProtectionPolicy', 'ResourceArn')
    const { doc } = await requireTopic(meta, name)
    return { DataProtectionPolicy: doc.dataProtectionPolicy ?? '' }
  }

  return {
    AddPermission: addPermission,
    RemovePermission: removePermission,
    PutDataProtectionPolicy: putDataProtection,
    GetDataProtectionPolicy: getDataProtection,
  }
}
