/** Actions and resources of SQS. AWS writes its actions in lower case where it refuses them. Pure. */
import { parseSqsArn, sqsArn } from '#contracts/sqs.ts'
import { sqsModel } from '#wire/models/sqs.ts'

import { members, tagKeys, text, type Asking, type Members, type Need, type ServiceNeeds } from './need.ts'

const URL = /^(?:https?:\/\/[^/]+)?\/(\d{12})\/([^/]+)\/?$/
/** A batch needs what one message needs. */
const BATCHES: ReadonlyMap<string, string> = new Map([
  ['SendMessageBatch', 'SendMessage'],
  ['DeleteMessageBatch', 'DeleteMessage'],
  ['ChangeMessageVisibilityBatch', 'ChangeMessageVisibility'],
])

/** The queue that a request is about; `*` when it is about none, or about what can't be read. */
function queueOf(input: Members, { account, region }: Asking): string {
  const [, owner, named] = URL.exec(text(input['QueueUrl']) ?? '') ?? []
  if (owner !== undefined && named !== undefined) return sqsArn({ account: owner, region }, named)
  const name = text(input['QueueName'])
  if (name !== undefined) {
    return sqsArn({ account: text(input['QueueOwnerAWSAccountId']) ?? account, region }, name)
  }
  return text(input['SourceArn']) ?? sourceOf(text(input['TaskHandle'])) ?? '*'
}

function sourceOf(taskHandle: string | undefined): string | undefined {
  if (taskHandle === undefined) return undefined
  try {
    const handle: unknown = JSON.parse(Buffer.from(taskHandle, 'base64').toString())
    return text(members(handle)['sourceArn'])
  } catch {
    return undefined
  }
}

function need(operation: string, resource: string, input: Members, asking: Asking): Need {
  const queue = parseSqsArn(resource)
  return {
    action: `sqs:${operation.toLowerCase()}`,
    resource: queue ? resource : '*',
    account: queue?.account ?? asking.account,
    keys: tagKeys(input['tags'] ?? input['Tags']),
    ...(queue && { policy: { kind: 'sqs-queue', ...queue } }),
  }
}

const needsOf = (operation: string) => (input: Members, asking: Asking) => {
  const queue = queueOf(input, asking)
  const on = (action: string, resource = queue) => need(action, resource, input, asking)
  const isTagged = Object.keys(members(input['tags'])).length > 0
  if (operation === 'CreateQueue' && isTagged) return [on(operation), on('TagQueue')]
  if (operation === 'StartMessageMoveTask') {
    // As the API reference lists them.
    const destination = text(input['DestinationArn'])
    return [
      on(operation),
      on('ReceiveMessage'),
      on('DeleteMessage'),
      on('GetQueueAttributes'),
      ...(destination === undefined ? [] : [on('SendMessage', destination)]),
    ]
  }
  return [on(BATCHES.get(operation) ?? operation)]
}

export const sqsNeeds: ServiceNeeds = Object.fromEntries(
  Object.keys(sqsModel.operations).map((operation) => [operation, needsOf(operation)]),
)
