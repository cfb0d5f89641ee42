/** Durable executions: the words of the API, their ARNs, their documents' keys and their limits. */
import type { FunctionId } from '#contracts/arn.ts'
import { functionArn } from '#contracts/arn.ts'
import { MIB } from '#kernel/units.ts'

/** What makes a function a durable one; fixed with each published version. */
export interface DurableSettings {
  readonly executionTimeoutSeconds: number
  readonly retentionDays: number
  readonly kmsKeyArn?: string
}

/** Defaults of DurableConfig: 14 days (API model); that the timeout is a day when none is given is unverified. */
export const DEFAULT_RETENTION_DAYS = 14
export const DEFAULT_EXECUTION_TIMEOUT_SECONDS = 86_400
/** A caller can wait this long for an execution, and only for one that cannot take longer (developer guide). */
export const MAX_SYNC_EXECUTION_SECONDS = 900
/** Input and result of a chained invoke (official testing library). */
export const MAX_CHAINED_PAYLOAD_BYTES = 1 * MIB
/** An error object of a checkpoint, as JSON (official testing library). */
export const MAX_ERROR_BYTES = 32_768
/** What is given to the function with its invocation; it fetches the rest page by page (official testing library). */
export const MAX_STATE_PAGE_BYTES = 5 * MIB
/** Items of a page when the request names no number, or 0. */
export const DEFAULT_PAGE_ITEMS = 100
/** Bounds of one execution, so that none can fill this host. AWS has quotas of its own for both (not verified). */
export const MAX_OPERATIONS = 10_000
export const MAX_EXECUTION_BYTES = 256 * MIB

/** Source: enums ExecutionStatus, OperationType, OperationAction and OperationStatus of the Lambda API model. */
export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'STOPPED'
export type OperationType = 'EXECUTION' | 'CONTEXT' | 'STEP' | 'WAIT' | 'CALLBACK' | 'CHAINED_INVOKE'
export type OperationAction = 'START' | 'SUCCEED' | 'FAIL' | 'RETRY' | 'CANCEL'
export type OperationStatus =
  | 'STARTED'
  | 'PENDING'
  | 'READY'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'CANCELLED'
  | 'TIMED_OUT'
  | 'STOPPED'

export interface ErrorObject {
  readonly ErrorMessage?: string
  readonly ErrorType?: string
  readonly ErrorData?: string
  readonly StackTrace?: readonly string[]
}

/** One change that a function checkpoints; members of the API's shape OperationUpdate. */
export interface OperationUpdate {
  readonly Id: string
  readonly Type: OperationType
  readonly Action: OperationAction
  readonly ParentId?: string
  readonly Name?: string
  readonly SubType?: string
  readonly Payload?: string
  readonly Error?: ErrorObject
  readonly ContextOptions?: { readonly ReplayChildren?: boolean }
  readonly StepOptions?: { readonly NextAttemptDelaySeconds?: number }
  readonly WaitOptions?: { readonly WaitSeconds?: number }
  readonly CallbackOptions?: { readonly TimeoutSeconds?: number; readonly HeartbeatTimeoutSeconds?: number }
  readonly ChainedInvokeOptions?: { readonly FunctionName: string; readonly TenantId?: string }
}

/** Names one execution: the function it belongs to and its id (a UUID that begins with its start time). */
export interface ExecutionRef {
  readonly function: FunctionId
  readonly id: string
}

const ARN =
  /^arn:[a-zA-Z0-9-]+:lambda:([a-zA-Z0-9-]+):(\d{12}):function:([a-zA-Z0-9_-]+):(\$LATEST(?:\.PUBLISHED)?|\d+)\/durable-execution\/([a-zA-Z0-9_-]+)\/([a-zA-Z0-9_-]+)$/

/** `arn:aws:lambda:REGION:ACCOUNT:function:NAME:VERSION/durable-execution/EXECUTION-NAME/ID`. */
export const durableExecutionArn = (ref: ExecutionRef, version: string, name: string) =>
  `${functionArn(ref.function, version)}/durable-execution/${name}/${ref.id}`

/** Undefined when the text is not such an ARN. */
export function parseDurableExecutionArn(text: string): ExecutionRef | undefined {
  const [, region, account, name, , , id] = ARN.exec(text) ?? []
  return region && account && name && id ? { function: { account, region, name }, id } : undefined
}

/** A UUID of version 7: its order is the order of time. `digits`: 19 random hexadecimal digits. */
export function timeOrderedId(nowMs: number, digits: string): string {
  const time = nowMs.toString(16).padStart(12, '0')
  const variant = '89ab'[Number.parseInt(digits[3] ?? '0', 16) % 4] ?? '8'
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digits.slice(0, 3)}-${variant}${digits.slice(4, 7)}-${digits.slice(7, 19)}`
}

const scope = ({ account, region, name }: FunctionId) => `${account}/${region}/${name}/`
const padded = (number: number) => String(number).padStart(15, '0')
/** Sorts the other way round: the newest comes first. */
const newestFirst = (id: string) =>
  id.replaceAll(/[0-9a-f]/g, (digit) => (15 - Number.parseInt(digit, 16)).toString(16))

/** The keys of all documents of durable executions begin with this, and no others do. */
export const DURABLE_ALL = 'durable'

/** Heads of a function's executions, newest first. */
export const durablePrefix = (id: FunctionId) => `durable/${scope(id)}`
export const durableKey = (ref: ExecutionRef) => `${durablePrefix(ref.function)}${newestFirst(ref.id)}`
export const isDurableKey = (key: string) => key.startsWith('durable/')
/** The same executions, oldest first; the documents hold only the id. */
export const durableOldestPrefix = (id: FunctionId) => `durable-oldest/${scope(id)}`
export const durableOldestKey = (ref: ExecutionRef) => `${durableOldestPrefix(ref.function)}${ref.id}`
/** Names are unique per function, across its versions. */
export const durableNameKey = (id: FunctionId, name: string) => `durable-name/${scope(id)}${name}`
export const DURABLE_RUNNING = 'durable-running/'
export const durableRunningKey = (id: string) => `${DURABLE_RUNNING}${id}`
export const durableOperationPrefix = (id: string) => `durable-operation/${id}/`
export const durableOperationKey = (id: string, index: number) =>
  `${durableOperationPrefix(id)}${padded(index)}`
export const durableEventPrefix = (id: string) => `durable-event/${id}/`
export const durableEventKey = (id: string, event: number) => `${durableEventPrefix(id)}${padded(event)}`
/** Closed executions in the order in which their retention ends. */
export const DURABLE_EXPIRY = 'durable-expiry/'
export const durableExpiryKey = (atMs: number, id: string) => `${DURABLE_EXPIRY}${padded(atMs)}/${id}`
/** The time in a key of an expiry. */
export const expiryOf = (key: string) => Number(key.slice(DURABLE_EXPIRY.length).split('/')[0])
