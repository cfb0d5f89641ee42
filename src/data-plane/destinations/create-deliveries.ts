/** Delivers outcomes of asynchronous invocations to dead-letter queues and destinations, as the function's role. */
import { functionArn } from '#contracts/arn.ts'
import { LambdaError, serviceFailure } from '#contracts/errors.ts'
import type { ServiceCalls } from '#contracts/service-calls.ts'
import { type Clock, sleep } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import { SECOND_MS } from '#kernel/units.ts'
import {
  traceOf,
  type AsyncOutcome,
  type Deliveries,
  type OutcomeTargets,
} from '#data-plane/destinations/port.ts'
import {
  type RecordObject,
  tellDeadLetter,
  tellDestination,
  type Telling,
} from '#data-plane/destinations/target-call.ts'
import type { Logger, Metrics } from '#observability/port.ts'

/** Waits between the tries of one delivery; then it is given up. AWS's own are not published. */
const RETRY_DELAYS_MS: readonly number[] = [100, 1 * SECOND_MS, 5 * SECOND_MS]
/** One try. */
const TRY_TIMEOUT_MS = 10 * SECOND_MS
/** As functions' own sessions are called; 64 characters at most. */
const sessionName = (functionName: string) => functionName.slice(0, 64)

/** Writes an object of a bucket; rejects with a `LambdaError` as `ServiceCalls` does. */
export type PutRecord = (object: RecordObject, signal: AbortSignal) => Promise<void>

/** Everything but a refusal may be different the next time. */
function mayBeTriedAgain(error: unknown): boolean {
  if (!(error instanceof LambdaError)) return true
  return error.status === undefined ? error.fault !== 'client' : error.status >= 500 || error.status === 429
}

/** PutEvents answers 200 for an entry that it did not take. */
function refuseFailedEntry(output: object): void {
  const { FailedEntryCount = 0, Entries = [] } = output as {
    readonly FailedEntryCount?: number
    readonly Entries?: readonly { readonly ErrorCode?: string; readonly ErrorMessage?: string }[]
  }
  if (FailedEntryCount === 0) return
  const [entry] = Entries
  const code = entry?.ErrorCode ?? 'InternalFailure'
  const passes = code === 'InternalFailure' || code === 'ThrottlingException'
  throw new LambdaError(code, entry?.ErrorMessage ?? 'The event was not taken', {
    status: passes ? 500 : 400,
  })
}

export function createDeliveries(options: {
  readonly calls: ServiceCalls
  /** Undefined: no bucket exists. */
  readonly putRecord: PutRecord | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
}): Deliveries {
  const { calls, putRecord, clock, random, logger, metrics } = options

  const tellOnce = async (
    telling: Telling | RecordObject,
    outcome: AsyncOutcome,
    roleArn: string,
    signal: AbortSignal,
  ) => {
    if ('bucket' in telling) {
      if (!putRecord) throw new LambdaError('NoSuchBucket', 'No bucket is configured', { status: 404 })
      await putRecord(telling, signal)
      return
    }
    const { event } = outcome
    const traceId = traceOf(outcome)
    const output = await calls.call({
      ...telling,
      account: event.target.account,
      as: {
        roleArn,
        sessionName: sessionName(event.target.name),
        servicePrincipal: 'lambda.amazonaws.com',
        sourceArn: functionArn(event.target),
      },
      signal,
      ...(traceId !== undefined && { traceId }),
    })
    if (telling.operation === 'PutEvents') refuseFailedEntry(output)
  }
  const tellInTime = async (
    telling: Telling | RecordObject,
    outcome: AsyncOutcome,
    roleArn: string,
    stopped: AbortSignal,
  ) => {
    const timeout = new AbortController()
    const late = Promise.withResolvers<never>()
    const cancel = clock.after(TRY_TIMEOUT_MS, () => {
      const error = serviceFailure(`The target did not answer within ${TRY_TIMEOUT_MS} ms`)
      timeout.abort(error)
      late.reject(error)
    })
    const onStop = () => late.reject(stopped.reason)
    stopped.addEventListener('abort', onStop, { once: true })
    try {
      const signal = AbortSignal.any([stopped, timeout.signal])
      await Promise.race([tellOnce(telling, outcome, roleArn, signal), late.promise])
    } finally {
      cancel()
      stopped.removeEventListener('abort', onStop)
    }
  }

  /** True: told. False: given up. */
  const tell = async (
    telling: Telling | RecordObject | undefined,
    outcome: AsyncOutcome,
    { roleArn }: OutcomeTargets,
    describe: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<boolean> => {
    try {
      if (!telling) throw new LambdaError('InvalidParameterValueException', 'It takes no such message')
      if (roleArn === undefined) throw new LambdaError('AccessDeniedException', 'The function has no role')
      for (let attempt = 0; ; attempt++) {
        try {
          await tellInTime(telling, outcome, roleArn, signal)
          return true
        } catch (error) {
          const delayMs = RETRY_DELAYS_MS[attempt]
          if (signal.aborted || delayMs === undefined || !mayBeTriedAgain(error)) throw error
          await sleep(clock, delayMs, signal)
        }
      }
    } catch (error) {
      // Nobody knows whether it got there: the event stays, and is told again by its next owner.
      signal.throwIfAborted()
      logger.error('The outcome of an asynchronous invocation could not be delivered', { ...describe, error })
      return false
    }
  }

  return {
    async deliver(outcome, targets, signal) {
      const { onSuccessArn, onFailureArn, deadLetterArn } = targets
      const { event, condition } = outcome
      const destinationArn = condition === 'Success' ? onSuccessArn : onFailureArn
      const describe = (target: string) => ({
        function: functionArn(event.target, event.qualifier),
        requestId: event.requestId,
        condition,
        target,
      })
      const toDestination = async (arn: string) => {
        const telling = tellDestination(outcome, arn, { now: clock.now(), uuid: random.uuid })
        if (!(await tell(telling, outcome, targets, describe(arn), signal)))
          metrics.count('lambent_destination_delivery_failures_total')
      }
      const toDeadLetters = async (arn: string) => {
        const telling = tellDeadLetter(outcome, arn)
        if (!(await tell(telling, outcome, targets, describe(arn), signal)))
          metrics.count('lambent_dead_letter_errors_total')
      }
      await Promise.all([
        destinationArn !== undefined && toDestination(destinationArn),
        deadLetterArn !== undefined && condition !== 'Success' && toDeadLetters(deadLetterArn),
      ])
    },
  }
}
