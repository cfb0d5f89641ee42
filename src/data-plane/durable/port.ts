/** Durable executions: started by invocations, moved on by checkpoints, time and callbacks. */
import type { ErrorObject, ExecutionRef, ExecutionStatus } from '#contracts/durable.ts'

/** How an execution ended, for a caller that waited. */
export interface ExecutionOutcome {
  readonly arn: string
  readonly version: string
  readonly status: Exclude<ExecutionStatus, 'RUNNING'>
  readonly result?: string
  readonly error?: ErrorObject
}

export interface StartedExecution {
  readonly ref: ExecutionRef
  readonly arn: string
}
