/** Tasks that move messages out of a dead-letter queue. Texts recorded from AWS unless a comment says otherwise. */
import type {
  CancelMessageMoveTaskRequest,
  ListMessageMoveTasksRequest,
  StartMessageMoveTaskRequest,
} from '@aws-sdk/client-sqs'

import { parseSqsArn, type SqsMoveTask, type SqsQueue } from '#contracts/sqs.ts'
import type { OperationHandler, OperationHandlers, RequestContext } from '#wire/service.ts'

import { isRunning, type MoveTasks } from './move-tasks.ts'
import type { QueueIndex } from './queue-index.ts'
import { redrivePolicyOf } from './queue-settings.ts'
import { assertMayUse } from './resolve-queue.ts'
import { invalidParameter, invalidValue, resourceNotFound } from './sqs-errors.ts'

const MAX_PER_SECOND = 500
const MAX_RESULTS = 10

export function createMoveTaskOperations(deps: {
  readonly index: QueueIndex
  readonly tasks: MoveTasks
}): OperationHandlers {
  const { index, tasks } = deps

  const queueOf = (arn: string, parameter: string, context: RequestContext): SqsQueue => {
    const named = parseSqsArn(arn)
    if (!named) {
      // As clients report it.
      throw invalidParameter(
        `You must use this format to specify the ${parameter}: arn:<partition>:<service>:<region>:<account-id>:<resource-id>`,
      )
    }
    assertMayUse(named.account, context)
    const found = index.byArn(arn)
    if (!found) {
      throw resourceNotFound(`The resource that you specified for the ${parameter} parameter doesn't exist.`)
    }
    return found.doc
  }

  const start: OperationHandler<StartMessageMoveTaskRequest, object> = async (input, context) => {
    const { SourceArn: sourceArn = '', DestinationArn, MaxNumberOfMessagesPerSecond: maxPerSecond } = input
    const source = queueOf(sourceArn, 'SourceArn', context)
    const isDeadLetterQueue = index
      .list(source)
      .some((queue) => redrivePolicyOf(queue)?.deadLetterTargetArn === sourceArn)
    if (!isDeadLetterQueue) {
      throw invalidParameter('Source queue must be configured as a Dead Letter Queue.')
    }
    if (DestinationArn !== undefined) queueOf(DestinationArn, 'DestinationArn', context)
    if (maxPerSecond !== undefined && !(maxPerSecond >= 1 && maxPerSecond <= MAX_PER_SECOND)) {
      // Text unverified.
      throw invalidValue(
        maxPerSecond,
        'MaxNumberOfMessagesPerSecond',
        `Must be between 1 and ${MAX_PER_SECOND}, if provided.`,
      )
    }
    if ((await tasks.of(source)).some(isRunning)) {
      throw invalidParameter(
        'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
      )
    }
    const task = await tasks.begin(source, {
      sourceArn,
      ...(DestinationArn !== undefined && { destinationArn: DestinationArn }),
      ...(maxPerSecond !== undefined && { maxPerSecond }),
    })
    return { TaskHandle: handleOf(task) }
  }

  const cancel: OperationHandler<CancelMessageMoveTaskRequest, object> = async (
    { TaskHandle = '' },
    context,
  ) => {
    const { taskId, sourceArn } = readHandle(TaskHandle)
    const source = queueOf(sourceArn, 'SourceArn', context)
    const task = await tasks.cancel(source, taskId)
    if (!task) throw resourceNotFound('Task does not exist.')
    return { ApproximateNumberOfMessagesMoved: task.moved }
  }

  const list: OperationHandler<ListMessageMoveTasksRequest, object> = async (input, context) => {
    const { SourceArn = '', MaxResults = 1 } = input
    if (!(MaxResults >= 1 && MaxResults <= MAX_RESULTS)) {
      // Text unverified.
      throw invalidValue(MaxResults, 'MaxResults', `Must be between 1 and ${MAX_RESULTS}, if provided.`)
    }
    const all = await tasks.of(queueOf(SourceArn, 'SourceArn', context))
    return { Results: all.slice(0, MaxResults).map(viewOf) }
  }

  return { StartMessageMoveTask: start, CancelMessageMoveTask: cancel, ListMessageMoveTasks: list }
}

const viewOf = (task: SqsMoveTask) => ({
  // Only what can be cancelled has one.
  ...(isRunning(task) && { TaskHandle: handleOf(task) }),
  Status: task.status,
  SourceArn: task.sourceArn,
  ...(task.destinationArn !== undefined && { DestinationArn: task.destinationArn }),
  ...(task.maxPerSecond !== undefined && { MaxNumberOfMessagesPerSecond: task.maxPerSecond }),
  ApproximateNumberOfMessagesMoved: task.moved,
  ApproximateNumberOfMessagesToMove: task.toMove,
  ...(task.failure !== undefined && { FailureReason: task.failure }),
  StartedTimestamp: task.startedAt,
})

const handleOf = ({ id, sourceArn }: SqsMoveTask) =>
  Buffer.from(JSON.stringify({ taskId: id, sourceArn })).toString('base64')

function readHandle(handle: string): { readonly taskId: string; readonly sourceArn: string } {
  try {
    const { taskId, sourceArn } = JSON.parse(Buffer.from(handle, 'base64').toString()) as Record<
      string,
      unknown
    >
    if (typeof taskId === 'string' && typeof sourceArn === 'string') return { taskId, sourceArn }
  } catch {
    // Said below.
  }
  throw invalidParameter('Value for parameter TaskHandle is invalid.')
}
