/** Queues themselves: made, found, listed, deleted, purged. */
import type {
  CreateQueueRequest,
  DeleteQueueRequest,
  GetQueueUrlRequest,
  ListDeadLetterSourceQueuesRequest,
  ListQueuesRequest,
  PurgeQueueRequest,
} from '@aws-sdk/client-sqs'

import { sqsArn, sqsQueueKey, sqsRemainsKey, SQS_NUMBERS, type SqsQueue } from '#contracts/sqs.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import { MINUTE_MS } from '#kernel/units.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { withAttributes } from './attribute-rules.ts'
import type { ChangeQueue } from './change-queue.ts'
import type { OpenQueues } from './open-queues.ts'
import type { QueueIndex } from './queue-index.ts'
import { attributesOf, redrivePolicyOf } from './queue-settings.ts'
import { queueUrl, type ResolveQueue } from './resolve-queue.ts'
import { invalidParameter, noSuchQueue, purgeInProgress, queueNameExists, unavailable } from './sqs-errors.ts'
import { pageOf } from './sqs-page.ts'
import { checkTags } from './tag-operations.ts'

const NAME = /^(?=.{1,80}$)[\w-]+(?:\.fifo)?$/
const BAD_NAME = 'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length'
/** Text as clients report it. */
const BAD_FIFO_NAME =
  'The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length'
const PURGE_EVERY_MS = MINUTE_MS
const MAX_ATTEMPTS = 24
/** Numbers below belong to the asynchronous events. Each queue has two. */
const FIRST_NUMBER = 1000
const NUMBERS = 2

export function createQueueOperations(deps: {
  readonly meta: Meta
  readonly index: QueueIndex
  readonly open: OpenQueues
  readonly resolve: ResolveQueue
  readonly change: ChangeQueue
  readonly clock: Clock
}): OperationHandlers {
  const { meta, index, open, resolve, change, clock } = deps

  const createQueue: OperationHandler<CreateQueueRequest, object> = async (input, context) => {
    const { QueueName: name = '', Attributes: given = {}, tags = {} } = input
    const { account, region } = context
    const wantsFifo = given.FifoQueue === 'true'
    if (wantsFifo && !(NAME.test(name) && name.endsWith('.fifo'))) throw invalidParameter(BAD_FIFO_NAME)
    if (!NAME.test(name) || (name.endsWith('.fifo') && !wantsFifo)) throw invalidParameter(BAD_NAME)
    checkTags(name, tags)
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const there = index.find({ account, region }, name)
      if (there) {
        assertSame(there.doc, given)
        return { QueueUrl: queueUrl(there.doc, context) }
      }
      const attributes = withAttributes({ account, region, name }, {}, given, index)
      const counter = await meta.get(SQS_NUMBERS)
      const last = (counter?.doc as { readonly last?: number } | undefined)?.last
      const number = last === undefined ? FIRST_NUMBER : last + NUMBERS
      const now = clock.now()
      const queue: SqsQueue = {
        account,
        region,
        name,
        number,
        attributes,
        tags,
        createdAt: now,
        modifiedAt: now,
      }
      const written = await meta.txn([
        { key: sqsQueueKey(queue, name), doc: queue as unknown as Json, ifRev: 0 },
        { key: SQS_NUMBERS, doc: { last: number }, ifRev: counter?.rev ?? 0 },
      ])
      if (written !== 'conflict') return { QueueUrl: queueUrl(queue, context) }
    }
    throw unavailable('Too many queues are made at once, try again')
  }

  const getQueueUrl: OperationHandler<GetQueueUrlRequest, object> = async (input, context) => {
    const { QueueName: name = '', QueueOwnerAWSAccountId: account = context.account } = input
    const doc = resolve.doc(`/${account}/${name}`, context)
    return { QueueUrl: queueUrl(doc, context) }
  }

  const listQueues: OperationHandler<ListQueuesRequest, object> = async (input, context) => {
    const { QueueNamePrefix: prefix = '', MaxResults, NextToken } = input
    const all = index.list(context).filter(({ name }) => name.startsWith(prefix))
    const { items, next } = pageOf(all, ({ name }) => name, { MaxResults, NextToken })
    const urls = items.map((queue) => queueUrl(queue, context))
    return { ...(urls.length > 0 && { QueueUrls: urls }), ...(next !== undefined && { NextToken: next }) }
  }

  const listSources: OperationHandler<ListDeadLetterSourceQueuesRequest, object> = async (input, context) => {
    const { QueueUrl, MaxResults, NextToken } = input
    const letters = resolve.doc(QueueUrl, context)
    const arn = sqsArn(letters, letters.name)
    const all = index.list(letters).filter((queue) => redrivePolicyOf(queue)?.deadLetterTargetArn === arn)
    const { items, next } = pageOf(all, ({ name }) => name, { MaxResults, NextToken })
    const queueUrls = items.map((queue) => queueUrl(queue, context))
    return { queueUrls, ...(next !== undefined && { NextToken: next }) }
  }

  const deleteQueue: OperationHandler<DeleteQueueRequest, object> = async ({ QueueUrl }, context) => {
    const { number, name, ...scope } = resolve.own(QueueUrl, context)
    const key = sqsQueueKey(scope, name)
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const row = await meta.get(key)
      if ((row?.doc as unknown as SqsQueue | undefined)?.number !== number || !row) throw noSuchQueue()
      const written = await meta.txn([
        { key, doc: null, ifRev: row.rev },
        { key: sqsRemainsKey(number), doc: { number } },
      ])
      if (written === 'conflict') continue
      void open.clean()
      return {}
    }
    throw unavailable('The queue is being changed by others, try again')
  }

  const purgeQueue: OperationHandler<PurgeQueueRequest, object> = async ({ QueueUrl }, context) => {
    const { doc, queue } = await resolve.open(QueueUrl, context)
    const through = open.nextId()
    await change(doc, ({ name, purgedAt = -Infinity }) => {
      const now = clock.now()
      if (now < purgedAt + PURGE_EVERY_MS) throw purgeInProgress(name)
      return { purgedAt: now, purgedThrough: String(through) }
    })
    queue.purge(through)
    return {}
  }

  return {
    CreateQueue: createQueue,
    GetQueueUrl: getQueueUrl,
    ListQueues: listQueues,
    ListDeadLetterSourceQueues: listSources,
    DeleteQueue: deleteQueue,
    PurgeQueue: purgeQueue,
  }
}

/** A queue is made twice only as the same. */
function assertSame(queue: SqsQueue, given: Readonly<Record<string, string>>): void {
  const has = attributesOf(queue)
  for (const [name, value] of Object.entries(given)) {
    if ((has[name] ?? '') !== value) throw queueNameExists(name)
  }
}
