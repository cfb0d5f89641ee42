/** A durable execution as it is stored, and the draft in which one step of its life is prepared. Pure. */
import type { FunctionId } from '#contracts/arn.ts'
import {
  durableExecutionArn,
  type DurableSettings,
  type ErrorObject,
  type ExecutionRef,
  type ExecutionStatus,
  type OperationStatus,
  type OperationType,
} from '#contracts/durable.ts'
import type { Json } from '#kernel/json.ts'

/** Small: payloads live with the operations. Times are wall-clock milliseconds. */
export interface ExecutionHead {
  readonly function: FunctionId
  readonly id: string
  readonly name: string
  readonly version: string
  readonly settings: DurableSettings
  /** Its operations and events are sealed with it; encrypted under the KMS key of the settings, base64. */
  readonly dataKey?: string
  readonly status: ExecutionStatus
  readonly startedAt: number
  readonly endedAt?: number
  readonly traceId?: string
  /** Of a function with tenants: whose execution it is. */
  readonly tenantId?: string
  /** SHA-256 of the input: the same name with another input is refused. */
  readonly inputDigest: string
  readonly maxResultBytes: number
  /** The chained invoke that started it. */
  readonly parent?: { readonly ref: ExecutionRef; readonly operationId: string }
  /** Grows with every change of an operation. */
  readonly sequence: number
  /** Changes up to here are known to the invocation that runs, or ran last. */
  readonly seenSequence: number
  /** What `seenSequence` was when that invocation began. */
  readonly begunSequence?: number
  /** The node that moves it on; takes up another's when that is gone. */
  readonly owner?: string
  /** Empty while none runs. A token of another invocation is refused. */
  readonly invocationId: string
  /** Checkpoints of the execution so far; part of the token. */
  readonly checkpoints: number
  /** An invocation is wanted as soon as none runs. */
  readonly wake: boolean
  /** The next invocation is not before this. */
  readonly notBefore?: number
  /** Invocations that failed in a row, and refusals to run one in a row. */
  readonly failures: number
  readonly refusals: number
  readonly operationCount: number
  readonly eventCount: number
  readonly storedBytes: number
  /** Chained invokes that have not ended. */
  readonly openInvokes: number
  /** When something is due next, apart from `notBefore`. */
  readonly dueAt: number
  /** What the last checkpoint was answered, for a client that asks again. */
  readonly lastCheckpoint?: {
    readonly clientToken: string
    readonly token: string
    readonly answer: string
    readonly after: number
    readonly through: number
  }
}

export interface StoredOperation {
  readonly index: number
  readonly id: string
  readonly type: OperationType
  readonly status: OperationStatus
  readonly parentId?: string
  readonly name?: string
  readonly subType?: string
  readonly startedAt: number
  readonly endedAt?: number
  /** The execution's `sequence` of its last change. */
  readonly touched: number
  /** Input of the execution, or of a chained invoke. */
  readonly input?: string
  readonly result?: string
  readonly error?: ErrorObject
  readonly replayChildren?: boolean
  readonly attempt?: number
  readonly nextAttemptAt?: number
  readonly waitSeconds?: number
  readonly scheduledEndAt?: number
  readonly callbackId?: string
  readonly timeoutSeconds?: number
  readonly heartbeatSeconds?: number
  readonly timeoutAt?: number
  readonly heartbeatAt?: number
  readonly functionName?: string
  readonly tenantId?: string
  /** The durable execution that a chained invoke started; none: the target is an ordinary function. */
  readonly child?: ExecutionRef
}

/** As the API words it, with times in milliseconds under names that end in `Timestamp`. */
export interface HistoryEvent {
  readonly id: number
  readonly type: string
  readonly at: number
  readonly operation?: {
    readonly Id: string
    readonly Name?: string
    readonly ParentId?: string
    readonly SubType?: string
  }
  readonly details: { readonly [name: string]: Json }
}

export interface Execution {
  readonly head: ExecutionHead
  readonly operations: ReadonlyMap<string, StoredOperation>
}

export type Mutable<Type> = { -readonly [Name in keyof Type]: Type[Name] }

/** One step being prepared. Nothing of the execution that it was opened on changes. */
export interface Draft {
  readonly now: number
  readonly head: Mutable<ExecutionHead>
  readonly operations: Map<string, StoredOperation>
  readonly changed: Set<string>
  readonly events: HistoryEvent[]
  /** Writes an operation and counts the change. */
  put(operation: Omit<StoredOperation, 'touched'>): void
  /** Adds an event; of an operation, or of the execution as such. */
  event(type: string, operation: Omit<StoredOperation, 'touched'> | undefined, details: object): void
}

export const refOf = ({ head }: Pick<Execution, 'head'>): ExecutionRef => ({
  function: head.function,
  id: head.id,
})

export const arnOf = (head: ExecutionHead) => durableExecutionArn(head, head.version, head.name)

const bytesOf = ({ input, result, error }: Partial<StoredOperation>) =>
  Buffer.byteLength(input ?? '') +
  Buffer.byteLength(result ?? '') +
  (error ? JSON.stringify(error).length : 0)

export function openDraft(execution: Execution, now: number): Draft {
  const head: Mutable<ExecutionHead> = { ...execution.head }
  const operations = new Map(execution.operations)
  const changed = new Set<string>()
  const events: HistoryEvent[] = []
  return {
    now,
    head,
    operations,
    changed,
    events,
    put(operation) {
      const before = operations.get(operation.id)
      if (!before) head.operationCount += 1
      head.storedBytes += bytesOf(operation) - (before ? bytesOf(before) : 0)
      head.sequence += 1
      operations.set(operation.id, { ...operation, touched: head.sequence })
      changed.add(operation.id)
    },
    event(type, operation, details) {
      head.eventCount += 1
      events.push({
        id: head.eventCount,
        type,
        at: now,
        ...(operation && {
          operation: {
            Id: operation.id,
            ...(operation.name !== undefined && { Name: operation.name }),
            ...(operation.parentId !== undefined && { ParentId: operation.parentId }),
            ...(operation.subType !== undefined && { SubType: operation.subType }),
          },
        }),
        details: details as { readonly [name: string]: Json },
      })
    },
  }
}

/** Operations that changed after `sequence`, in the order in which they were created. */
export const changedAfter = (operations: ReadonlyMap<string, StoredOperation>, sequence: number) =>
  [...operations.values()].filter(({ touched }) => touched > sequence).toSorted((a, b) => a.index - b.index)

/** The execution's own operation, which holds its input and its outcome. */
export function rootOf({ head, operations }: Execution): StoredOperation {
  const root = operations.get(head.id)
  if (!root) throw new Error(`The execution ${head.id} has no operation of its own`)
  return root
}

const failing = {
  FAILED: 'ExecutionFailed',
  TIMED_OUT: 'ExecutionTimedOut',
  STOPPED: 'ExecutionStopped',
} as const

/** Ends the execution, once. */
export function close(
  draft: Draft,
  status: Exclude<ExecutionStatus, 'RUNNING'>,
  outcome: { readonly result?: string; readonly error?: ErrorObject },
): void {
  if (draft.head.status !== 'RUNNING') return
  const { result, error } = outcome
  const root = rootOf(draft)
  draft.put({
    ...root,
    status,
    endedAt: draft.now,
    ...(result !== undefined && { result }),
    ...(error !== undefined && { error }),
  })
  Object.assign(draft.head, { status, endedAt: draft.now, wake: false, notBefore: undefined })
  if (status === 'SUCCEEDED') draft.event('ExecutionSucceeded', root, { Result: payloadOf(result) })
  else draft.event(failing[status], root, { Error: { Payload: error ?? {} } })
}

/** A payload in an event. */
export const payloadOf = (payload: string | undefined) => (payload === undefined ? {} : { Payload: payload })
