/** Attributes of queues, and the permissions that are part of their policies. */
import type {
  AddPermissionRequest,
  GetQueueAttributesRequest,
  RemovePermissionRequest,
  SetQueueAttributesRequest,
} from '@aws-sdk/client-sqs'

import { sqsArn, type SqsQueue } from '#contracts/sqs.ts'
import type { Clock } from '#kernel/clock.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { withAttributes } from './attribute-rules.ts'
import type { ChangeQueue } from './change-queue.ts'
import type { OpenQueues } from './open-queues.ts'
import type { QueueIndex } from './queue-index.ts'
import { attributesOf } from './queue-settings.ts'
import type { ResolveQueue } from './resolve-queue.ts'
import { invalidValue, missing, tooManyActions, unknownAttribute } from './sqs-errors.ts'

const COUNTED = {
  ApproximateNumberOfMessages: 'visible',
  ApproximateNumberOfMessagesNotVisible: 'notVisible',
  ApproximateNumberOfMessagesDelayed: 'delayed',
} as const
const STORED = [
  'Policy',
  'VisibilityTimeout',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'CreatedTimestamp',
  'LastModifiedTimestamp',
  'QueueArn',
  'DelaySeconds',
  'ReceiveMessageWaitTimeSeconds',
  'RedrivePolicy',
  'FifoQueue',
  'ContentBasedDeduplication',
  'KmsMasterKeyId',
  'KmsDataKeyReusePeriodSeconds',
  'DeduplicationScope',
  'FifoThroughputLimit',
  'RedriveAllowPolicy',
  'SqsManagedSseEnabled',
]
const NAMES = new Set(['All', ...Object.keys(COUNTED), ...STORED])

/** Actions that one can be allowed by a permission. */
const GRANTABLE = new Set([
  '*',
  'ChangeMessageVisibility',
  'DeleteMessage',
  'GetQueueAttributes',
  'GetQueueUrl',
  'ListDeadLetterSourceQueues',
  'PurgeQueue',
  'ReceiveMessage',
  'SendMessage',
])
const MAX_ACTIONS = 7

interface Statement {
  readonly Sid?: string
}
interface PolicyDocument {
  readonly Version: string
  readonly Id?: string
  readonly Statement: readonly Statement[]
}

export function createAttributeOperations(deps: {
  readonly index: QueueIndex
  readonly open: OpenQueues
  readonly resolve: ResolveQueue
  readonly change: ChangeQueue
  readonly clock: Clock
}): OperationHandlers {
  const { index, open, resolve, change, clock } = deps

  const set = (queue: SqsQueue, given: Readonly<Record<string, string>>) =>
    change(queue, (now) => ({
      attributes: withAttributes(now, now.attributes, given, index),
      modifiedAt: clock.now(),
    }))

  const setAttributes: OperationHandler<SetQueueAttributesRequest, object> = async (input, context) => {
    const { QueueUrl, Attributes = {} } = input
    await set(resolve.own(QueueUrl, context), Attributes)
    return {}
  }

  const getAttributes: OperationHandler<GetQueueAttributesRequest, object> = async (input, context) => {
    const { QueueUrl, AttributeNames = [] } = input
    const doc = resolve.doc(QueueUrl, context)
    for (const name of AttributeNames) if (!NAMES.has(name)) throw unknownAttribute(name)
    const asked: ReadonlySet<string> = new Set(AttributeNames)
    const wants = (name: string) => asked.has('All') || asked.has(name)
    const all: Readonly<Record<string, string>> = {
      ...attributesOf(doc),
      QueueArn: sqsArn(doc, doc.name),
      CreatedTimestamp: seconds(doc.createdAt),
      LastModifiedTimestamp: seconds(doc.modifiedAt),
    }
    const found: Record<string, string> = {}
    for (const [name, value] of Object.entries(all)) if (wants(name)) found[name] = value
    const counted = Object.entries(COUNTED).filter(([name]) => wants(name))
    if (counted.length > 0) {
      const counts = (await open.of(doc)).counts()
      for (const [name, what] of counted) found[name] = String(counts[what])
    }
    return Object.keys(found).length === 0 ? {} : { Attributes: found }
  }

  const policyOf = (queue: SqsQueue): PolicyDocument => {
    const text = queue.attributes['Policy']
    if (text !== undefined) {
      const policy = JSON.parse(text) as PolicyDocument
      return { ...policy, Statement: [policy.Statement].flat() as readonly Statement[] }
    }
    return { Version: '2008-10-17', Id: `${sqsArn(queue, queue.name)}/SQSDefaultPolicy`, Statement: [] }
  }

  const addPermission: OperationHandler<AddPermissionRequest, object> = async (input, context) => {
    const { QueueUrl, Label = '', AWSAccountIds = [], Actions = [] } = input
    const doc = resolve.own(QueueUrl, context)
    if (Actions.length === 0) throw missing('Actions')
    if (AWSAccountIds.length === 0) throw invalidValue('[]', 'PrincipalId', 'Unable to verify.')
    if (Actions.length > MAX_ACTIONS) throw tooManyActions(Actions.length)
    for (const action of Actions) {
      if (!GRANTABLE.has(action)) {
        throw invalidValue(
          `SQS:${action}`,
          'ActionName',
          'Only the queue owner is allowed to invoke this action.',
        )
      }
    }
    for (const id of AWSAccountIds) {
      if (!/^\d{12}$/.test(id)) throw invalidValue(`[${id}]`, 'PrincipalId', 'Unable to verify.')
    }
    await change(doc, (now) => {
      const policy = policyOf(now)
      if (policy.Statement.some(({ Sid }) => Sid === Label)) {
        throw invalidValue(Label, 'Label', 'Already exists.')
      }
      const statement = {
        Sid: Label,
        Effect: 'Allow',
        Principal: { AWS: oneOrMore(AWSAccountIds.map((id) => `arn:aws:iam::${id}:root`)) },
        Action: oneOrMore(Actions.map((action) => `SQS:${action}`)),
        Resource: sqsArn(now, now.name),
      }
      const Policy = JSON.stringify({ ...policy, Statement: [...policy.Statement, statement] })
      return { attributes: { ...now.attributes, Policy }, modifiedAt: clock.now() }
    })
    return {}
  }

  const removePermission: OperationHandler<RemovePermissionRequest, object> = async (input, context) => {
    const { QueueUrl, Label = '' } = input
    await change(resolve.own(QueueUrl, context), (now) => {
      const policy = policyOf(now)
      const Statement = policy.Statement.filter(({ Sid }) => Sid !== Label)
      if (Statement.length === policy.Statement.length) {
        throw invalidValue(Label, 'Label', "can't find label.")
      }
      const { Policy: _, ...rest } = now.attributes
      // Without a statement there is no policy (recorded).
      const after =
        Statement.length === 0 ? rest : { ...rest, Policy: JSON.stringify({ ...policy, Statement }) }
      return { attributes: after, modifiedAt: clock.now() }
    })
    return {}
  }

  return {
    GetQueueAttributes: getAttributes,
    SetQueueAttributes: setAttributes,
    AddPermission: addPermission,
    RemovePermission: removePermission,
  }
}

const seconds = (atMs: number) => String(Math.floor(atMs / 1000))
const oneOrMore = (items: readonly string[]) => (items.length === 1 ? items[0] : items)
