/** What an invocation of a durable function means for its execution. Pure. */
import type { ErrorObject } from '#contracts/durable.ts'
import { changedAfter, close, type Draft } from '#data-plane/durable/execution.ts'

/**
 * Failures in a row after which an execution fails, and the delay after the first one, which doubles each time: about
 * two minutes. AWS retries with growing delays for a few minutes; its exact numbers are unverified.
 */
const MAX_FAILURES = 8
const FIRST_DELAY_MS = 1000
/** `PENDING` with nothing to wait for can come from a race in the SDK that passes (official testing library). */
const MAX_POINTLESS_PENDING = 3
/** A refusal (throttled, being updated) is no failure of the function: it is tried until the execution times out. */
const MAX_REFUSAL_DELAY_MS = 60_000

export type Ended =
  | { readonly kind: 'response'; readonly payload: Uint8Array }
  /** The function failed: crash, timeout, an error of its runtime. */
  | { readonly kind: 'function-error'; readonly payload: Uint8Array }
  /** It was not run, and will not be: the function is gone. */
  | { readonly kind: 'impossible'; readonly error: ErrorObject }
  /** It was not run this time. */
  | { readonly kind: 'refused' }

interface Output {
  readonly Status: 'SUCCEEDED' | 'FAILED' | 'PENDING'
  readonly Result?: string
  readonly Error?: ErrorObject
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function jsonOf(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch {
    return undefined
  }
}

/** The members of an error object that have the right type; undefined when the value is none. */
export function errorObjectOf(value: unknown): ErrorObject | undefined {
  if (!isObject(value)) return undefined
  const text = (name: string) => (typeof value[name] === 'string' ? { [name]: value[name] } : {})
  const trace = value['StackTrace']
  return {
    ...text('ErrorMessage'),
    ...text('ErrorType'),
    ...text('ErrorData'),
    ...(Array.isArray(trace) && { StackTrace: trace.map(String) }),
  }
}

function outputOf(payload: Uint8Array): Output | undefined {
  const value = jsonOf(payload)
  if (!isObject(value)) return undefined
  const { Status, Result } = value
  if (Status !== 'SUCCEEDED' && Status !== 'FAILED' && Status !== 'PENDING') return undefined
  if (Result !== undefined && Result !== null && typeof Result !== 'string') return undefined
  const error = errorObjectOf(value['Error'])
  if (value['Error'] !== undefined && value['Error'] !== null && !error) return undefined
  return { Status, ...(typeof Result === 'string' && { Result }), ...(error && { Error: error }) }
}

/** The error document of a runtime (`errorMessage`, `errorType`, ...) as an error object. */
export function runtimeErrorOf(payload: Uint8Array): ErrorObject {
  const value = jsonOf(payload)
  if (!isObject(value) || typeof value['errorMessage'] !== 'string') {
    return { ErrorMessage: Buffer.from(payload).toString('utf8'), ErrorType: 'Unhandled' }
  }
  const trace = value['stackTrace'] ?? value['trace']
  return {
    ErrorMessage: value['errorMessage'],
    ...(typeof value['errorType'] === 'string' && { ErrorType: value['errorType'] }),
    ...(Array.isArray(trace) && { StackTrace: trace.map(String) }),
  }
}

const hasPending = ({ operations }: Draft) =>
  [...operations.values()].some(
    ({ type, status }) =>
      status === 'PENDING' ||
      (status === 'STARTED' && (type === 'WAIT' || type === 'CALLBACK' || type === 'CHAINED_INVOKE')),
  )

/**
 * Whether something came from outside while it ran that it may have left lying. What the answer to a checkpoint told it
 * counts too: a branch that had suspended by then is not woken by that (the SDK for Python), and nothing else would be
 * due. Once the context around it has ended, it has been taken up. What AWS does here is unverified; at worst the
 * function is invoked once more and answers the same.
 */
function hasNews({ head, operations }: Draft): boolean {
  if (changedAfter(operations, head.seenSequence).length > 0) return true
  return changedAfter(operations, head.begunSequence ?? head.seenSequence).some(
    ({ type, status, parentId }) =>
      (status === 'READY' ||
        ((type === 'WAIT' || type === 'CALLBACK' || type === 'CHAINED_INVOKE') &&
          status !== 'STARTED' &&
          status !== 'CANCELLED')) &&
      (parentId === undefined || operations.get(parentId)?.endedAt === undefined),
  )
}

/** Undefined when the output is in order, otherwise the text that AWS fails the execution with. */
function faultOf(draft: Draft, output: Output | undefined): string | undefined {
  if (!output) return 'Invalid Status in invocation output.'
  const { maxResultBytes } = draft.head
  if (output.Status === 'SUCCEEDED') {
    if (output.Error) return 'Cannot provide an Error for SUCCEEDED status.'
    return Buffer.byteLength(output.Result ?? '') > maxResultBytes
      ? `Execution output payload size must be less than or equal to ${maxResultBytes} bytes.`
      : undefined
  }
  if (output.Status === 'FAILED') {
    return output.Result === undefined ? undefined : 'Cannot provide a Result for FAILED status.'
  }
  return undefined
}

/** Settles the invocation that the head names. Times are wall-clock milliseconds. */
export function settleInvocation(
  draft: Draft,
  invocation: { readonly requestId: string; readonly startedAt: number },
  ended: Ended,
): void {
  const { head, now } = draft
  head.invocationId = ''
  if (ended.kind === 'refused') {
    head.refusals += 1
    head.wake = head.status === 'RUNNING'
    head.notBefore = now + Math.min(FIRST_DELAY_MS * 2 ** (head.refusals - 1), MAX_REFUSAL_DELAY_MS)
    return
  }
  head.refusals = 0
  const completed = (error: ErrorObject | undefined) =>
    draft.event('InvocationCompleted', undefined, {
      StartTimestamp: invocation.startedAt,
      EndTimestamp: now,
      RequestId: invocation.requestId,
      ...(error && { Error: { Payload: error } }),
    })
  if (ended.kind === 'impossible') {
    close(draft, 'FAILED', { error: ended.error })
    return
  }
  const retry = (error: ErrorObject, attempts: number) => {
    completed(error)
    head.failures += 1
    if (head.failures >= attempts) {
      close(draft, 'FAILED', { error })
      return
    }
    head.wake = head.status === 'RUNNING'
    head.notBefore = now + FIRST_DELAY_MS * 2 ** (head.failures - 1)
  }
  if (ended.kind === 'function-error') {
    retry(runtimeErrorOf(ended.payload), MAX_FAILURES)
    return
  }
  const output = outputOf(ended.payload)
  const fault = faultOf(draft, output)
  if (!output || fault !== undefined) {
    const error = { ErrorMessage: fault ?? '', ErrorType: 'InvalidParameterValueException' }
    completed(error)
    close(draft, 'FAILED', { error })
    return
  }
  const again = output.Status === 'PENDING' && head.status === 'RUNNING' && hasNews(draft)
  if (output.Status === 'PENDING' && head.status === 'RUNNING' && !again && !hasPending(draft)) {
    const ErrorMessage = 'Cannot return PENDING status with no pending operations.'
    retry({ ErrorMessage, ErrorType: 'InvalidParameterValueException' }, MAX_POINTLESS_PENDING)
    return
  }
  head.failures = 0
  completed(output.Status === 'FAILED' ? output.Error : undefined)
  if (output.Status === 'SUCCEEDED') {
    close(draft, 'SUCCEEDED', output.Result === undefined ? {} : { result: output.Result })
  } else if (output.Status === 'FAILED') {
    close(draft, 'FAILED', output.Error ? { error: output.Error } : {})
  } else {
    head.wake = again
  }
}
