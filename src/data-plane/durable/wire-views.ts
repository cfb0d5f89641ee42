/** Operations and events as the API and the durable function see them. Pure. */
import { MAX_STATE_PAGE_BYTES } from '#contracts/durable.ts'
import {
  arnOf,
  changedAfter,
  type Execution,
  type HistoryEvent,
  type StoredOperation,
} from '#data-plane/durable/execution.ts'

/** Members of the API's shape Operation, with times as `time` makes them. */
export function operationView<Time>(operation: StoredOperation, time: (ms: number) => Time) {
  const { type, input, result, error, attempt, nextAttemptAt, scheduledEndAt, callbackId } = operation
  const outcome = {
    ...(result !== undefined && { Result: result }),
    ...(error !== undefined && { Error: error }),
  }
  return {
    Id: operation.id,
    ...(operation.parentId !== undefined && { ParentId: operation.parentId }),
    ...(operation.name !== undefined && { Name: operation.name }),
    Type: type,
    ...(operation.subType !== undefined && { SubType: operation.subType }),
    StartTimestamp: time(operation.startedAt),
    ...(operation.endedAt !== undefined && { EndTimestamp: time(operation.endedAt) }),
    Status: operation.status,
    ...(type === 'EXECUTION' && { ExecutionDetails: input === undefined ? {} : { InputPayload: input } }),
    ...(type === 'CONTEXT' && {
      ContextDetails: {
        ...(operation.replayChildren !== undefined && { ReplayChildren: operation.replayChildren }),
        ...outcome,
      },
    }),
    ...(type === 'STEP' && {
      StepDetails: {
        Attempt: attempt ?? 0,
        ...(nextAttemptAt !== undefined && { NextAttemptTimestamp: time(nextAttemptAt) }),
        ...outcome,
      },
    }),
    ...(type === 'WAIT' && {
      WaitDetails: scheduledEndAt === undefined ? {} : { ScheduledEndTimestamp: time(scheduledEndAt) },
    }),
    ...(type === 'CALLBACK' && { CallbackDetails: { CallbackId: callbackId, ...outcome } }),
    ...(type === 'CHAINED_INVOKE' && { ChainedInvokeDetails: outcome }),
  }
}

export const asDate = (ms: number) => new Date(ms)

/** As it travels inside JSON, where quotes count twice. */
const sizeOf = (operation: StoredOperation) =>
  Buffer.byteLength(JSON.stringify(operationView(operation, (ms) => ms)))

/**
 * Operations from `start` on, in the order of their creation, and where the next page starts. At least one, unless the
 * page may be empty because the first one is too large for it.
 */
export function pageOf(
  { operations }: Execution,
  start: number,
  maxItems: number,
  mayBeEmpty = false,
): { readonly page: readonly StoredOperation[]; readonly next: number | undefined } {
  const all = changedAfter(operations, -1)
  let bytes = 0
  let end = start
  for (; end < all.length && end - start < maxItems; end++) {
    const operation = all[end]
    bytes += operation ? sizeOf(operation) : 0
    if (bytes > MAX_STATE_PAGE_BYTES && (end > start || mayBeEmpty)) break
  }
  return { page: all.slice(start, end), next: end < all.length ? end : undefined }
}

export const markerOf = (index: number | undefined) =>
  index === undefined ? '' : Buffer.from(`state:${index}`).toString('base64')

/** Undefined when the marker is none of ours. */
export function indexOfMarker(marker: string): number | undefined {
  const [, index] = /^state:(\d{1,9})$/.exec(Buffer.from(marker, 'base64').toString('latin1')) ?? []
  return index === undefined ? undefined : Number(index)
}

/** A token names one invocation and how many checkpoints there were: base64, as the model wants it. */
export const tokenOf = ({ head }: Execution) =>
  Buffer.from(JSON.stringify([head.id, head.invocationId, head.checkpoints])).toString('base64')

/**
 * The event that the function is invoked with. Times are epoch milliseconds: the SDK for Python reads nothing else,
 * the one for JavaScript takes them as well. `news`: operations that changed since its last invocation saw the state.
 */
export function invocationEvent(execution: Execution, news: readonly string[]): Buffer {
  const { page, next } = pageOf(execution, 0, Number.POSITIVE_INFINITY, true)
  return Buffer.from(
    JSON.stringify({
      DurableExecutionArn: arnOf(execution.head),
      CheckpointToken: tokenOf(execution),
      InitialExecutionState: {
        Operations: page.map((operation) => operationView(operation, (ms) => ms)),
        NextMarker: markerOf(next),
      },
      UpdatedOperationIds: news,
    }),
  )
}

/** Members of the API's shape Event. Without `withData` payloads are left out and said to be cut. */
export function eventView({ id, type, at, operation, details }: HistoryEvent, withData: boolean) {
  const view: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(details)) {
    if (name.endsWith('Timestamp') && typeof value === 'number') view[name] = new Date(value)
    else if (name === 'Input' || name === 'Result' || name === 'Error') {
      view[name] = withData ? { ...(value as object), Truncated: false } : { Truncated: true }
    } else view[name] = value
  }
  return {
    EventType: type,
    EventId: id,
    EventTimestamp: new Date(at),
    ...operation,
    [`${type}Details`]: view,
  }
}
