/** What the store keeps of SNS: topics, subscriptions, and the key that signs messages. */
import type { Scope } from '#contracts/arn.ts'

export interface SnsTag {
  readonly key: string
  readonly value: string
}

export interface SnsTopic extends Scope {
  readonly name: string
  readonly createdAt: number
  readonly isFifo: boolean
  /** Attributes that were set, as they were sent; what is not here has AWS's default. */
  readonly attributes: Readonly<Record<string, string>>
  readonly tags: readonly SnsTag[]
  readonly dataProtectionPolicy?: string
  /** How many subscriptions have been deleted. */
  readonly deletedSubscriptions: number
}

export type SnsProtocol = 'sqs' | 'lambda' | 'http' | 'https' | 'email' | 'email-json' | 'sms'

export interface SnsSubscription extends Scope {
  /** Name of the topic, which is of the same account and region. */
  readonly topic: string
  readonly id: string
  /** Account of who subscribed. */
  readonly owner: string
  /** ARN of who subscribed. */
  readonly principal: string
  readonly protocol: SnsProtocol
  readonly endpoint: string
  readonly createdAt: number
  readonly isPending: boolean
  /** Whether its confirmation, or the subscription itself when none was needed, was signed by its owner. */
  readonly isAuthenticated: boolean
  /** Only the owner may end it. */
  readonly authenticatesUnsubscribe: boolean
  /** What confirms it; a pending one's, or the one with which an ended subscription comes back. */
  readonly token: string
  readonly attributes: Readonly<Record<string, string>>
  /** `http://host:port` under which its maker reached us: links in messages begin with it. */
  readonly baseUrl: string
}

/** The key that signs messages. */
export interface SnsSigner {
  /** DER in base64. */
  readonly certificate: string
  /** Under the context `sns-signer`. */
  readonly sealedKey: string
}

const partition = (region: string) =>
  region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'

export const snsTopicArn = ({ account, region }: Scope, name: string) =>
  `arn:${partition(region)}:sns:${region}:${account}:${name}`
export const snsSubscriptionArn = (subscription: SnsSubscription) =>
  `${snsTopicArn(subscription, subscription.topic)}:${subscription.id}`

export const SNS_TOPICS = 'sns-topic/'
export const snsTopicKey = ({ account, region }: Scope, name: string) =>
  `${SNS_TOPICS}${account}/${region}/${name}`
/** Topic names have neither `/` nor `:`. */
export const SNS_SUBSCRIPTIONS = 'sns-subscription/'
export const snsSubscriptionKey = ({ account, region }: Scope, topic: string, id: string) =>
  `${SNS_SUBSCRIPTIONS}${account}/${region}/${topic}/${id}`
export const SNS_SIGNER_KEY = 'sns-signer'
