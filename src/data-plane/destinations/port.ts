/** Where the outcome of an asynchronous invocation is told: dead-letter queues and destinations. */
import type { AsyncEvent } from '#contracts/event.ts'

/** AWS's names of the conditions in invocation records. */
export type OutcomeCondition =
  | 'Success'
  | 'RetriesExhausted'
  | 'EventAgeExceeded'
  | 'ZeroReservedConcurrency'
  | 'RecursiveInvocation'

/** The last answer that an event got. */
export interface LastAnswer {
  /** 200 when the function ran, also when it failed; else the status of the refusal. */
  readonly statusCode: number
  /** Version that ran. */
  readonly executedVersion?: string
  readonly functionError?: string
  /** What the function answered; none when it did not run. */
  readonly payload?: Uint8Array
  /** Tracing header of the attempt, with the rounds of a loop that it was a part of. */
  readonly traceId?: string
  /** Text of the refusal, when the function did not run. */
  readonly message?: string
}

/** The end of an asynchronous invocation. */
export interface AsyncOutcome {
  /** With the counters after the last attempt. */
  readonly event: AsyncEvent
  readonly condition: OutcomeCondition
  /** Undefined: no attempt was made that is known of. */
  readonly answer: LastAnswer | undefined
}

/** What whoever is told continues: the trace of the last attempt, else that of the event. */
export const traceOf = ({ answer, event }: AsyncOutcome): string | undefined =>
  answer?.traceId ?? event.traceId

/** Where a function wants to have it told. */
export interface OutcomeTargets {
  /** The execution role, which must be allowed to send there. */
  readonly roleArn?: string
  readonly onSuccessArn?: string
  readonly onFailureArn?: string
  /** The dead-letter queue: a queue or a topic. */
  readonly deadLetterArn?: string
}

export interface Deliveries {
  /**
   * Tells all targets that want to know, several times if need be. Resolves once each has been told or was given up,
   * which is counted. Rejects only when `signal` aborts: then nobody knows, and the event must be kept.
   */
  deliver(outcome: AsyncOutcome, targets: OutcomeTargets, signal: AbortSignal): Promise<void>
}
