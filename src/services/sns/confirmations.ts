/** Tokens with which endpoints confirm subscriptions, and the messages that carry them. */
import { randomBytes } from 'node:crypto'

import { snsSubscriptionArn, snsTopicArn, type SnsSubscription } from '#contracts/sns.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Sealer } from '#kernel/sealed.ts'
import { HOUR_MS } from '#kernel/units.ts'

import type { Outbox } from '../outbox/port.ts'
import type { Catalogue } from './catalogue.ts'
import { confirmationItem } from './delivery/item.ts'
import { confirmationText, signedConfirmationText, type Confirmation } from './envelope.ts'
import type { MessageSigner } from './message-signer.ts'
import type { TopicName } from './topic-arns.ts'

/** Hexadecimal, as AWS's tokens are. */
const TOKEN_BYTES = 144
const CONTEXT = 'sns-ended-subscription'
/** Of attributes that a token can carry: it is part of an address. */
const MAX_ATTRIBUTES = 1024
/** For so long a token is good (API reference). */
const TOKEN_MS = 48 * HOUR_MS

interface Ended {
  readonly subscription: SnsSubscription
  readonly until: number
}

export interface Confirmations {
  newToken(): string
  /** Asks the endpoint of a pending subscription to confirm it; others are told by nobody from here. */
  ask(subscription: SnsSubscription): Promise<void>
  /** Tells the endpoint that its subscription has ended, and how it comes back. */
  tellEnd(subscription: SnsSubscription): Promise<void>
  /** The subscription that the token confirms, pending, confirmed before, or ended. */
  find(topic: TopicName, token: string): SnsSubscription | undefined
}

export const isToken = (text: string) => /^[0-9a-f]{64,8192}$/.test(text)

export function createConfirmations(deps: {
  readonly catalogue: Catalogue
  readonly outbox: Outbox
  readonly signer: MessageSigner
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
}): Confirmations {
  const { catalogue, outbox, signer, sealer, clock, random } = deps

  const send = async (subscription: SnsSubscription, type: Confirmation['type'], token: string) => {
    const { protocol, endpoint, baseUrl } = subscription
    if (protocol !== 'http' && protocol !== 'https') return
    const topicArn = snsTopicArn(subscription, subscription.topic)
    const subscriptionArn = snsSubscriptionArn(subscription)
    const messageId = random.uuid()
    const message = { type, messageId, token, topicArn, subscriptionArn, sentAt: clock.now(), baseUrl }
    const topic = catalogue.topic({ ...subscription, name: subscription.topic })
    const version = topic?.attributes['SignatureVersion'] === '2' ? '2' : '1'
    const seal = await signer.seal(signedConfirmationText(message), version, baseUrl)
    const head = {
      kind: 'confirmation' as const,
      endpoint,
      type,
      messageId,
      topicArn,
      failures: 0,
      ...(type === 'UnsubscribeConfirmation' && { subscriptionArn }),
    }
    await outbox.add([confirmationItem(head, confirmationText(message, seal))])
  }

  /** Everything that is needed to restore it: nothing is kept of what has ended. */
  const endedToken = (subscription: SnsSubscription): string => {
    const isShort = JSON.stringify(subscription.attributes).length <= MAX_ATTRIBUTES
    const kept: SnsSubscription = {
      ...subscription,
      token: '',
      attributes: isShort ? subscription.attributes : {},
    }
    const ended: Ended = { subscription: kept, until: clock.now() + TOKEN_MS }
    return Buffer.from(sealer.seal(JSON.stringify(ended), CONTEXT), 'base64').toString('hex')
  }
  const openEnded = (token: string): Ended | undefined => {
    try {
      return JSON.parse(sealer.open(Buffer.from(token, 'hex').toString('base64'), CONTEXT)) as Ended
    } catch {
      return undefined
    }
  }

  return {
    newToken: () => randomBytes(TOKEN_BYTES).toString('hex'),
    ask: (subscription) => send(subscription, 'SubscriptionConfirmation', subscription.token),
    tellEnd: (subscription) => send(subscription, 'UnsubscribeConfirmation', endedToken(subscription)),
    find(topic, token) {
      const known = catalogue.subscriptionsOf(topic).find(({ doc }) => doc.token === token)?.doc
      if (known) return known.isPending && known.createdAt + TOKEN_MS < clock.now() ? undefined : known
      const ended = openEnded(token)
      const { name, account, region } = topic
      const isHere =
        ended?.subscription.topic === name &&
        ended.subscription.account === account &&
        ended.subscription.region === region
      return isHere && ended.until > clock.now() ? ended.subscription : undefined
    },
  }
}
