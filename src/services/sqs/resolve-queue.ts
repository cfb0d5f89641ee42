/** Queues by the forms in which requests name them. */
import { LambdaError } from '#contracts/errors.ts'
import type { SqsQueue } from '#contracts/sqs.ts'
import type { RequestContext } from '#wire/service.ts'

import type { MessageQueue } from './queue/message-queue.ts'
import type { OpenQueues } from './open-queues.ts'
import type { QueueIndex } from './queue-index.ts'
import { accessDenied, noSuchQueue } from './sqs-errors.ts'

export interface ResolveQueue {
  /** By its URL, whatever host that names, or the path of one. Throws QueueDoesNotExist. */
  doc(queueUrl: string | undefined, context: RequestContext): SqsQueue
  /** The same, for what only the queue's own account may do, whatever policies say. */
  own(queueUrl: string | undefined, context: RequestContext): SqsQueue
  open(queueUrl: string | undefined, context: RequestContext): Promise<OpenedQueue>
}

export interface OpenedQueue {
  readonly doc: SqsQueue
  readonly queue: MessageQueue
}

const PATH = /^(?:https?:\/\/[^/]+)?\/(\d{12})\/([^/]+)\/?$/

export const queueUrl = (
  { account, name }: Pick<SqsQueue, 'account' | 'name'>,
  { endpoint }: RequestContext,
) => `${endpoint}/${account}/${name}`

/** Where nobody asks policies, everybody stays in the own account; services of ours come for whoever they serve. */
export function assertMayUse(
  account: string,
  { account: own, isAuthorised, principal }: RequestContext,
): void {
  if (account !== own && !isAuthorised && !principal.service) throw accessDenied()
}

export function createResolveQueue(deps: {
  readonly index: QueueIndex
  readonly open: OpenQueues
}): ResolveQueue {
  const { index, open } = deps
  const doc: ResolveQueue['doc'] = (url = '', context) => {
    const [, account, name] = PATH.exec(url) ?? []
    if (account === undefined || name === undefined) {
      // Text as clients report it.
      throw new LambdaError('InvalidAddress', `The address ${url} is not valid for this endpoint.`)
    }
    assertMayUse(account, context)
    const found = index.find({ account, region: context.region }, name)
    if (!found) throw noSuchQueue()
    return found.doc
  }
  return {
    doc,
    own(url, context) {
      const found = doc(url, context)
      if (found.account !== context.account) throw accessDenied()
      return found
    },
    async open(url, context) {
      const found = doc(url, context)
      return { doc: found, queue: await open.of(found) }
    },
  }
}
