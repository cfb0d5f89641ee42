/** Does with what the outbox holds what is next: a try, another one later, a letter to the dead-letter queue, or nothing. */
import type { ServiceCalls } from '#contracts/service-calls.ts'
import { snsSubscriptionArn, snsTopicArn, type SnsSubscription, type SnsTopic } from '#contracts/sns.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Logger, Metrics } from '#observability/port.ts'

import type { Catalogue } from '../catalogue.ts'
import { httpDelivery, MANAGED_RETRIES, retryDelayMs, type RetryPolicy } from '../delivery-policy.ts'
import type { Notification } from '../envelope.ts'
import type { MessageVault } from '../message-vault.ts'
import type { MessageSigner } from '../message-signer.ts'
import type { Deliver, Outcome } from '../../outbox/port.ts'
import { deadLetterQueueOf } from '../subscription-attributes.ts'
import { createSender } from './create-sender.ts'
import { readBody, type ConfirmationHead, type ItemHead, type NotificationHead } from './item.ts'
import { createPace } from './pace.ts'
import type { HttpSender } from './send-http.ts'
import type { SendResult } from './send-result.ts'

const DONE: Outcome = { do: 'done' }
/** Confirmations are tried as often as AWS's default for HTTP says. */
const CONFIRMATION_RETRIES = httpDelivery({ attributes: {} }, { attributes: {} })

export function createDeliveryHandler(deps: {
  readonly catalogue: Catalogue
  readonly signer: MessageSigner
  readonly vault: MessageVault
  readonly calls: ServiceCalls
  readonly http: HttpSender
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics?: Metrics
}): Deliver {
  const { catalogue, vault, http, clock, random, logger, metrics } = deps

  const pace = createPace()
  const topicOf = (subscription: SnsSubscription): Pick<SnsTopic, 'attributes'> =>
    catalogue.topic({ ...subscription, name: subscription.topic }) ?? { attributes: {} }
  const sender = createSender({ ...deps, topicOf })

  const retry = (head: NotificationHead | ConfirmationHead, policy: RetryPolicy): Outcome | undefined => {
    const failures = head.failures + 1
    const delayMs = retryDelayMs(policy, failures)
    if (delayMs === undefined) return undefined
    // Jittered, as AWS does it: those that failed together do not come back together.
    const dueAt = clock.now() + Math.round(delayMs * (0.9 + 0.1 * random.next()))
    return { do: 'retry', dueAt, head: { ...head, failures, isPaced: false } }
  }

  const messageOf = (
    head: NotificationHead,
    payload: Uint8Array,
    subscription: SnsSubscription,
  ): Notification => {
    const { body, attributes } = readBody(payload)
    const { messageId, subject, publishedAt, sequenceNumber } = head
    return {
      messageId,
      subject,
      publishedAt,
      sequenceNumber,
      body,
      attributes,
      topicArn: snsTopicArn(subscription, subscription.topic),
      subscriptionArn: snsSubscriptionArn(subscription),
    }
  }
  const policyOf = (subscription: SnsSubscription): RetryPolicy => {
    if (subscription.protocol !== 'http' && subscription.protocol !== 'https') return MANAGED_RETRIES
    return httpDelivery(topicOf(subscription), subscription).retries
  }

  /** When the endpoint takes one more; undefined: now. */
  const momentOf = (subscription: SnsSubscription): number | undefined => {
    if (subscription.protocol !== 'http' && subscription.protocol !== 'https') return undefined
    const { maxPerSecond } = httpDelivery(topicOf(subscription), subscription)
    if (maxPerSecond === undefined) return undefined
    const at = pace.next(snsSubscriptionArn(subscription), maxPerSecond, clock.now())
    return at > clock.now() ? at : undefined
  }

  const giveUp = (head: NotificationHead, subscription: SnsSubscription, reason: string): Outcome => {
    const { messageId } = head
    const arn = snsSubscriptionArn(subscription)
    if (!head.isDead && deadLetterQueueOf(subscription) !== undefined) {
      logger.warn('A notification goes to its dead-letter queue', { subscription: arn, messageId, reason })
      return { do: 'retry', dueAt: clock.now(), head: { ...head, failures: 0, isDead: true } }
    }
    metrics?.count('lambent_sns_dropped_total')
    logger.warn('A notification could not be delivered and is dropped', {
      subscription: arn,
      messageId,
      reason,
    })
    return DONE
  }

  /** A key that can't be used now is as bad as an endpoint that does not answer. */
  const attempt = async (asked: {
    readonly head: NotificationHead
    readonly payload: Uint8Array
    readonly subscription: SnsSubscription
    readonly deadLetters: string | undefined
    readonly signal: AbortSignal
  }): Promise<SendResult> => {
    const { head, payload, subscription, deadLetters, signal } = asked
    let open = payload
    try {
      if (head.dataKey !== undefined) {
        open = await vault.open({ ...subscription, name: subscription.topic }, head.dataKey, payload)
      }
    } catch (error) {
      return { kind: 'failed', reason: `The message can't be decrypted: ${(error as Error).message}` }
    }
    const sending = { head, message: messageOf(head, open, subscription), subscription, signal }
    return await (deadLetters === undefined
      ? sender.toEndpoint(sending)
      : sender.toQueue(deadLetters, sending))
  }

  const notify = async (
    head: NotificationHead,
    payload: Uint8Array,
    signal: AbortSignal,
  ): Promise<Outcome> => {
    const subscription = catalogue.subscription(head)?.doc
    // Whoever unsubscribes gets nothing more.
    if (!subscription) return DONE
    const waitUntil = head.isDead || head.isPaced ? undefined : momentOf(subscription)
    if (waitUntil !== undefined) return { do: 'retry', dueAt: waitUntil, head: { ...head, isPaced: true } }
    const deadLetters = head.isDead ? deadLetterQueueOf(subscription) : undefined
    if (head.isDead && deadLetters === undefined) return DONE
    const outcome = await attempt({ head, payload, subscription, deadLetters, signal })
    if (outcome.kind === 'delivered') {
      metrics?.count(head.isDead ? 'lambent_sns_dead_letters_total' : 'lambent_sns_delivered_total')
      return DONE
    }
    metrics?.count('lambent_sns_failed_attempts_total')
    const again =
      outcome.kind === 'failed'
        ? retry(head, head.isDead ? MANAGED_RETRIES : policyOf(subscription))
        : undefined
    return again ?? giveUp(head, subscription, outcome.reason)
  }

  const confirm = async (
    head: ConfirmationHead,
    payload: Uint8Array,
    signal: AbortSignal,
  ): Promise<Outcome> => {
    const { contentType, retries } = CONFIRMATION_RETRIES
    const { endpoint, type, messageId, topicArn, subscriptionArn } = head
    const body = Buffer.from(payload).toString('utf8')
    const outcome = await http.post(
      { endpoint, type, messageId, topicArn, subscriptionArn, isRaw: false, contentType, body },
      signal,
    )
    if (outcome.kind === 'delivered') return DONE
    const again = outcome.kind === 'failed' ? retry(head, retries) : undefined
    if (!again) logger.warn('A confirmation could not be delivered', { endpoint, reason: outcome.reason })
    return again ?? DONE
  }

  return ({ head: stored, payload }, signal) => {
    const head = stored as unknown as ItemHead
    switch (head.kind) {
      case 'notification':
        return notify(head, payload, signal)
      case 'confirmation':
        return confirm(head, payload, signal)
      case 'published':
        return Promise.resolve(DONE)
    }
  }
}
