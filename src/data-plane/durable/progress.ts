/** What happens to an execution from outside its function: time passes, callbacks and chained invokes end. Pure. */
import { CallbackClosed } from '#data-plane/durable/callback-closed.ts'
import {
  close,
  payloadOf,
  type Draft,
  type Execution,
  type StoredOperation,
} from '#data-plane/durable/execution.ts'
import type { ErrorObject } from '#contracts/durable.ts'

/** How a chained invoke ended, in the words of its operation. */
export interface InvokeOutcome {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'STOPPED'
  readonly result?: string
  readonly error?: ErrorObject
}

const isOpen = (operation: StoredOperation) => operation.status === 'STARTED'
const deadlineOf = ({ head }: Execution) => head.startedAt + head.settings.executionTimeoutSeconds * 1000

/** Wall-clock time at which something of the execution falls due next; its timeout at the latest. */
export function nextDue(execution: Execution): number {
  let due = deadlineOf(execution)
  for (const operation of execution.operations.values()) {
    const times = isOpen(operation)
      ? [operation.scheduledEndAt, operation.timeoutAt, operation.heartbeatAt]
      : operation.status === 'PENDING'
        ? [operation.nextAttemptAt]
        : []
    for (const at of times) if (at !== undefined && at < due) due = at
  }
  return due
}

/** Ends everything that is due: the execution itself, waits, delays of steps, callbacks nobody answered. */
export function passTime(draft: Draft): void {
  const { now } = draft
  if (deadlineOf(draft) <= now) {
    const seconds = draft.head.settings.executionTimeoutSeconds
    close(draft, 'TIMED_OUT', { error: { ErrorMessage: `Execution timed out after ${seconds} seconds.` } })
    return
  }
  const isPast = (at: number | undefined) => at !== undefined && at <= now
  for (const operation of draft.operations.values()) {
    if (operation.status === 'PENDING' && isPast(operation.nextAttemptAt)) {
      const { nextAttemptAt: _, ...ready } = operation
      draft.put({ ...ready, status: 'READY' })
      draft.head.wake = true
    } else if (isOpen(operation) && isPast(operation.scheduledEndAt)) {
      draft.put({ ...operation, status: 'SUCCEEDED', endedAt: now })
      draft.event('WaitSucceeded', operation, { Duration: operation.waitSeconds ?? 0 })
      draft.head.wake = true
    } else if (isOpen(operation) && (isPast(operation.timeoutAt) || isPast(operation.heartbeatAt))) {
      const error: ErrorObject = isPast(operation.timeoutAt)
        ? { ErrorMessage: 'Callback timed out', ErrorType: 'Callback.Timeout' }
        : { ErrorMessage: 'Callback timed out on heartbeat', ErrorType: 'Callback.Heartbeat' }
      draft.put({ ...operation, status: 'TIMED_OUT', endedAt: now, error })
      draft.event('CallbackTimedOut', operation, { Error: { Payload: error } })
      draft.head.wake = true
    }
  }
}

/** The callback that still waits under this id; throws `CallbackClosed` otherwise. Call `passTime` before. */
function openCallback(draft: Draft, operationId: string, callbackId: string): StoredOperation {
  const operation = draft.operations.get(operationId)
  const isCallback = operation?.type === 'CALLBACK' && operation.callbackId === callbackId
  if (draft.head.status !== 'RUNNING' || !isCallback || !isOpen(operation)) throw new CallbackClosed()
  return operation
}

export function answerCallback(
  draft: Draft,
  callback: { readonly operationId: string; readonly callbackId: string },
  answer: { readonly result?: string } | { readonly error: ErrorObject },
): void {
  const operation = openCallback(draft, callback.operationId, callback.callbackId)
  const failed = 'error' in answer
  draft.put({ ...operation, ...answer, status: failed ? 'FAILED' : 'SUCCEEDED', endedAt: draft.now })
  if (failed) draft.event('CallbackFailed', operation, { Error: { Payload: answer.error } })
  else draft.event('CallbackSucceeded', operation, { Result: payloadOf(answer.result) })
  draft.head.wake = true
}

/** Moves the heartbeat's deadline, if the callback has one. Nothing that the function can see changes. */
export function heartbeat(
  draft: Draft,
  callback: { readonly operationId: string; readonly callbackId: string },
): void {
  const operation = openCallback(draft, callback.operationId, callback.callbackId)
  if (operation.heartbeatSeconds === undefined) return
  draft.operations.set(operation.id, {
    ...operation,
    heartbeatAt: draft.now + operation.heartbeatSeconds * 1000,
  })
  draft.changed.add(operation.id)
}

const INVOKE_EVENTS = {
  SUCCEEDED: 'ChainedInvokeSucceeded',
  FAILED: 'ChainedInvokeFailed',
  TIMED_OUT: 'ChainedInvokeTimedOut',
  STOPPED: 'ChainedInvokeStopped',
} as const

/** Does nothing when the operation, or the whole execution, has ended already. */
export function endInvoke(draft: Draft, operationId: string, outcome: InvokeOutcome): void {
  const operation = draft.operations.get(operationId)
  if (draft.head.status !== 'RUNNING' || operation?.type !== 'CHAINED_INVOKE' || !isOpen(operation)) return
  draft.put({ ...operation, ...outcome, endedAt: draft.now })
  draft.event(
    INVOKE_EVENTS[outcome.status],
    operation,
    outcome.status === 'SUCCEEDED'
      ? { Result: payloadOf(outcome.result) }
      : { Error: { Payload: outcome.error ?? {} } },
  )
  draft.head.openInvokes -= 1
  draft.head.wake = true
}
