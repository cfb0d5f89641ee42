/** Delivers: calls the target, retries by its policy, and sends what can't be delivered to its dead-letter queue. */
import type { ServiceCall, ServiceCalls } from '#contracts/service-calls.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import type { Random } from '#kernel/random.ts'
import type { Logger, Metrics } from '#observability/port.ts'

import type { Deliver, Delivery, Outcome } from './port.ts'
import { decideRetry, failureOf, type Failure, type RetryPolicy } from './retry-policy.ts'

/** Why it was given up. */
export interface DeadLetter {
  readonly failure: Failure
  readonly exhausted: 'MaximumRetryAttempts' | 'MaximumEventAgeInSeconds' | undefined
  readonly retries: number
}

export interface Plan {
  /** Calls the target. Rejects with what the target says. */
  deliver(signal: AbortSignal): Promise<unknown>
  readonly policy: RetryPolicy
  /** From when its age counts. */
  readonly acceptedAt: number
  /** The message for the dead-letter queue; undefined: there is none, and it is dropped. */
  readonly deadLetter?: (dead: DeadLetter) => ServiceCall
  /** For the log. */
  readonly subject: Readonly<Record<string, unknown>>
}

interface Head {
  readonly body: Json
  readonly dead?: DeadLetter & { readonly tries: number }
}

/** What a caller puts into `head`. */
export const headOf = (body: object): Json => ({ body: body as Json })

const CALL_TIMEOUT_MS = 30_000
/** Attempts to reach the dead-letter queue when it can't be reached. */
const MAX_DEAD_TRIES = 10
const DEAD_PAUSE_MS = 2_000

export function createDispatcher(options: {
  readonly name: string
  readonly calls: ServiceCalls
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics?: Metrics
  readonly plan: (body: Json, delivery: Delivery) => Promise<Plan>
}): Deliver {
  const { name, calls, clock, random, logger, metrics } = options
  const count = (outcome: string) => metrics?.count('lambent_deliveries_total', 1, { service: name, outcome })

  /** Ends a call that takes too long, or when the program stops. */
  const timed = async (stop: AbortSignal, run: (signal: AbortSignal) => Promise<unknown>) => {
    const controller = new AbortController()
    const timeout = Promise.withResolvers<never>()
    const end = (reason: unknown) => {
      controller.abort(reason)
      timeout.reject(reason)
    }
    const onStop = () => end(stop.reason)
    stop.addEventListener('abort', onStop, { once: true })
    const cancel = clock.after(CALL_TIMEOUT_MS, () => end(new Error('The target did not answer in time')))
    try {
      await Promise.race([run(controller.signal), timeout.promise])
    } finally {
      cancel()
      stop.removeEventListener('abort', onStop)
    }
  }

  const bury = async (plan: Plan, head: Head, stop: AbortSignal): Promise<Outcome> => {
    const { dead } = head
    if (!dead || !plan.deadLetter) return { do: 'done' }
    const call = plan.deadLetter(dead)
    try {
      await timed(stop, (signal) => calls.call({ ...call, signal }))
      count('dead-letter')
      return { do: 'done' }
    } catch (error) {
      if (stop.aborted) throw error
      const failure = failureOf(error)
      const tries = dead.tries + 1
      if (failure.canRetry && tries < MAX_DEAD_TRIES) {
        const next: Head = { ...head, dead: { ...dead, tries } }
        return { do: 'retry', dueAt: clock.now() + DEAD_PAUSE_MS * 2 ** tries, head: next as unknown as Json }
      }
      // As AWS: it is counted and lost.
      count('lost')
      logger.error('A dead-letter queue did not take a message', { ...plan.subject, error })
      return { do: 'done' }
    }
  }

  return async (delivery, stop) => {
    const head = delivery.head as unknown as Head
    const plan = await options.plan(head.body, delivery)
    if (head.dead) return await bury(plan, head, stop)
    try {
      await timed(stop, (signal) => plan.deliver(signal))
      count('delivered')
      return { do: 'done' }
    } catch (error) {
      if (stop.aborted) throw error
      const failure = failureOf(error)
      const decision = decideRetry({
        failure,
        retries: delivery.attempts,
        acceptedAt: plan.acceptedAt,
        now: clock.now(),
        lot: random.next(),
        policy: plan.policy,
      })
      if ('retryAt' in decision) return { do: 'retry', dueAt: decision.retryAt, head: delivery.head }
      count('failed')
      logger.warn('A delivery was given up', { ...plan.subject, code: failure.code, reason: failure.message })
      if (!plan.deadLetter) return { do: 'done' }
      const dead = { failure, exhausted: decision.exhausted, retries: delivery.attempts, tries: 0 }
      return await bury(plan, { ...head, dead }, stop)
    }
  }
}
