/** Takes asynchronous events from the queues, runs them through the front end and settles them. */
import { functionArn } from '#contracts/arn.ts'
import { LambdaError } from '#contracts/errors.ts'
import type { AsyncEvent } from '#contracts/event.ts'
import type { InvocationResult } from '#contracts/invocation.ts'
import { formatTraceHeader } from '#contracts/trace-header.ts'
import { DEFAULT_EVENT_AGE_SECONDS, DEFAULT_RETRY_ATTEMPTS } from '#contracts/limits.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'
import type { AsyncOutcome, Deliveries, LastAnswer } from '#data-plane/destinations/port.ts'
import type { DispatchOutcome, EventLease, EventQueues } from '#data-plane/events/port.ts'
import type { Frontend } from '#data-plane/frontend/port.ts'
import type { AsyncInvokeSettings, LookUpSettings } from '#data-plane/pollers/port.ts'
import type { Logger, Metrics } from '#observability/port.ts'

import { type AttemptOutcome, decideAfter, decideBefore, type RetryDecision } from './retry-decision.ts'

/** Sorts what the front end rejected with. */
export function outcomeOfError(error: unknown): AttemptOutcome {
  if (!(error instanceof LambdaError)) return 'platform-error'
  if (error.status === 429 || error.code === 'TooManyRequestsException') return 'throttled'
  if (error.status === 404 || error.code === 'ResourceNotFoundException') return 'not-found'
  // 409: the function is being created or updated, which passes. Without a status nobody has said whose fault it is.
  if (error.code === 'RecursiveInvocationException') return 'recursive'
  if (error.fault !== 'client' || error.status === undefined || error.status === 409) return 'platform-error'
  return error.status >= 400 && error.status < 500 ? 'refused' : 'platform-error'
}

interface Attempt {
  readonly outcome: AttemptOutcome
  readonly error?: unknown
  readonly result?: InvocationResult
}

const completeSettings = (settings: AsyncInvokeSettings) => ({
  maximumRetryAttempts: settings.maximumRetryAttempts ?? DEFAULT_RETRY_ATTEMPTS,
  maximumEventAgeSeconds: settings.maximumEventAgeSeconds ?? DEFAULT_EVENT_AGE_SECONDS,
})

/** How the platform's own document of a timeout begins. A function that says the same only slows down itself. */
const TIMEOUT = '{"errorType":"Sandbox.Timedout"'
const isTimeout = ({ functionError, payload }: InvocationResult) =>
  functionError !== undefined &&
  Buffer.from(payload.buffer, payload.byteOffset, Math.min(TIMEOUT.length, payload.byteLength)).equals(
    Buffer.from(TIMEOUT),
  )

/** What it says about whether more of the function's events should be tried. */
function dispatchOutcome(made: Attempt | undefined): DispatchOutcome {
  if (!made) return 'none'
  if (made.outcome === 'throttled') return 'throttled'
  if (made.outcome === 'platform-error') return 'broken'
  return made.result && isTimeout(made.result) ? 'broken' : 'ran'
}

/** Texts are kept with the event, so they have a bound. */
const MAX_REFUSAL_CHARACTERS = 1024

/** Why the function did not run; undefined when it did. */
function refusalOf({ error }: Attempt): AsyncEvent['lastRefusal'] {
  if (error === undefined) return undefined
  // What is no error of the API is our fault, and its text nobody else's business.
  if (!(error instanceof LambdaError)) return { statusCode: 500, message: 'Service error' }
  return { statusCode: error.status ?? 500, message: error.message.slice(0, MAX_REFUSAL_CHARACTERS) }
}

/** What records say of the last attempt: that of now, or the one remembered by the event. */
function answerOf(made: Attempt | undefined, { lastRefusal }: AsyncEvent): LastAnswer | undefined {
  if (!made?.result) return lastRefusal
  const { executedVersion, functionError, payload, trace } = made.result
  const traceId = trace && formatTraceHeader(trace)
  return { statusCode: 200, executedVersion, functionError, payload, ...(traceId && { traceId }) }
}

/** Runs at most `concurrency` events at a time. */
export function createAsyncEventPoller(options: {
  readonly queues: EventQueues
  readonly frontend: Pick<Frontend, 'invoke'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  readonly concurrency: number
  /** Defaults to two retries, six hours and no reservation for every function. */
  readonly lookUpSettings?: LookUpSettings
  /** Left out: nobody is told how events end. */
  readonly deliveries?: Deliveries
  /** Hands over an event that belongs to another cell; left out: there is none. */
  readonly forward?: (event: AsyncEvent) => Promise<void>
}): Component {
  const { queues, frontend, clock, random, logger, metrics, concurrency, deliveries } = options
  const lookUpSettings: LookUpSettings = options.lookUpSettings ?? (() => ({}))
  /** No further events are taken. */
  const closing = new AbortController()
  /** What runs is abandoned. */
  const stopping = new AbortController()
  const inFlight = new Set<Promise<void>>()
  let loop: Promise<void> | undefined

  const describe = ({ target, qualifier, requestId, attempts, functionErrors }: AsyncEvent) => ({
    function: functionArn(target, qualifier),
    requestId,
    attempts,
    functionErrors,
  })
  const attempt = async (event: AsyncEvent): Promise<Attempt> => {
    const { target, qualifier, requestId, payload, clientContext, traceId, tenantId } = event
    try {
      const result = await frontend.invoke({
        id: target,
        qualifier,
        requestId,
        payload,
        clientContext,
        traceId,
        ...(tenantId !== undefined && { tenantId }),
        logType: 'None',
        signal: stopping.signal,
      })
      return { outcome: result.functionError === undefined ? 'succeeded' : 'function-error', result }
    } catch (error) {
      return { outcome: outcomeOfError(error), error }
    }
  }
  /** Tells whoever wants to know. Rejects when the poller is stopped meanwhile: then the event stays in its queue. */
  const tell = async (outcome: AsyncOutcome) => {
    if (!deliveries) return
    const { target, qualifier } = outcome.event
    // As they are now: an event may have waited for hours, and the attempt itself takes minutes.
    const targets = await lookUpSettings(target, qualifier)
    await deliveries.deliver(outcome, targets, stopping.signal)
  }
  const dropped = (reason: string) => metrics.count('lambent_async_events_dropped_total', 1, { reason })
  /** Back to the cell that it belongs to, or into the queue once more until that is there again. */
  const handOver = async (
    event: AsyncEvent,
    settings: AsyncInvokeSettings,
    forward: (event: AsyncEvent) => Promise<void>,
  ): Promise<RetryDecision> => {
    try {
      await forward(event)
      return { do: 'forwarded', event }
    } catch (error) {
      logger.debug('An event of another cell could not be handed over yet', { ...describe(event), error })
      return decideAfter({
        event,
        outcome: 'throttled',
        settings: completeSettings(settings),
        now: clock.now(),
        lot: random.next(),
      })
    }
  }
  const settle = async ({ receipt }: EventLease, decision: RetryDecision, made: Attempt | undefined) => {
    const { event } = decision
    switch (decision.do) {
      case 'retry':
        metrics.count('lambent_async_events_retried_total', 1, { outcome: made?.outcome ?? 'platform-error' })
        await queues.retry(receipt, decision.visibleAt, event, dispatchOutcome(made))
        return
      case 'forwarded':
        metrics.count('lambent_cell_forwarded_total')
        break
      case 'complete':
        await tell({ event, condition: 'Success', answer: answerOf(made, event) })
        break
      case 'exhaust': {
        const { reason } = decision
        logger.warn('An asynchronous event was given up', { ...describe(event), reason })
        await tell({ event, condition: reason, answer: answerOf(made, event) })
        dropped(reason)
        if (reason === 'RecursiveInvocation') metrics.count('lambent_recursive_invocations_dropped_total')
        break
      }
      case 'drop': {
        dropped('FunctionNotFound')
        const reason = made?.error instanceof Error ? made.error.message : undefined
        logger.warn('An asynchronous event was dropped: its function does not exist', {
          ...describe(event),
          reason,
        })
      }
    }
    await queues.complete(receipt, dispatchOutcome(made))
  }
  const run = async (lease: EventLease) => {
    const { event } = lease
    const after = (made: Attempt, settings: AsyncInvokeSettings) =>
      decideAfter({
        event,
        outcome: made.outcome,
        settings: completeSettings(settings),
        refusal: refusalOf(made),
        now: clock.now(),
        lot: random.next(),
      })
    let settings: AsyncInvokeSettings
    try {
      settings = await lookUpSettings(event.target, event.qualifier)
    } catch (error) {
      logger.warn('The settings of a function could not be read', { ...describe(event), error })
      const made: Attempt = { outcome: 'platform-error', error }
      await settle(lease, after(made, {}), made)
      return
    }
    // What belongs to another cell is only handed over.
    const isForeign = event.homeCell !== undefined && options.forward !== undefined
    const reservedConcurrency = isForeign ? undefined : settings.reservedConcurrency
    const before = decideBefore({
      event,
      settings: completeSettings(settings),
      reservedConcurrency,
      now: clock.now(),
    })
    if (before) {
      await settle(lease, before, undefined)
      return
    }
    // After a pause of this process somebody else may own it, and run it.
    if (!queues.mayBegin(lease.receipt)) return
    if (event.homeCell !== undefined && options.forward) {
      await settle(lease, await handOver(event, settings, options.forward), undefined)
      return
    }
    metrics.observe('lambent_async_event_age_seconds', Math.max(0, clock.now() - event.acceptedAt) / 1000)
    const made = await attempt(event)
    // A failure while everything stops says nothing about the event: it stays stored as it was.
    if (stopping.signal.aborted && made.outcome !== 'succeeded') return
    await settle(lease, after(made, settings), made)
  }
  /** Called when one more may run; a race over all that run would pile up reactions on the long ones. */
  let onFree = () => {}
  const track = (lease: EventLease) => {
    const done = run(lease)
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) {
          logger.error('An asynchronous event could not be settled', { ...describe(lease.event), error })
        }
      })
      .finally(() => {
        inFlight.delete(done)
        onFree()
      })
    inFlight.add(done)
  }
  const poll = async () => {
    while (!closing.signal.aborted) {
      if (inFlight.size >= concurrency) {
        await new Promise<void>((resolve) => {
          onFree = resolve
        })
        continue
      }
      const leases = await queues.lease(concurrency - inFlight.size, closing.signal)
      // The queues have ended.
      if (leases.length === 0) return
      for (const lease of leases) track(lease)
    }
  }
  const close = () => {
    if (!closing.signal.aborted) closing.abort(new Error('The poller takes no more events'))
  }
  return {
    async start() {
      loop ??= poll().catch((error: unknown) => {
        logger.error('The poller of asynchronous events has failed', { error })
      })
    },
    async drain(deadlineMs) {
      close()
      await loop
      const deadline = Promise.withResolvers<void>()
      const cancel = clock.after(deadlineMs, deadline.resolve)
      await Promise.race([Promise.all(inFlight), deadline.promise])
      cancel()
    },
    async stop() {
      close()
      if (!stopping.signal.aborted) stopping.abort(new Error('The poller was stopped'))
    },
  }
}
