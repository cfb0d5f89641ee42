/** What a queue's attributes mean, with AWS's defaults. */
import type { SqsQueue } from '#contracts/sqs.ts'
import { MIB } from '#kernel/units.ts'

/** Since August 2025; it was 256 KiB before. */
export const MAX_MESSAGE_BYTES = MIB

/** In the form in which they are answered. */
export const DEFAULTS: Readonly<Record<string, string>> = {
  DelaySeconds: '0',
  MaximumMessageSize: String(MAX_MESSAGE_BYTES),
  MessageRetentionPeriod: '345600',
  ReceiveMessageWaitTimeSeconds: '0',
  VisibilityTimeout: '30',
}
const FIFO_DEFAULTS: Readonly<Record<string, string>> = {
  ContentBasedDeduplication: 'false',
  DeduplicationScope: 'queue',
  FifoThroughputLimit: 'perQueue',
}
const DEFAULT_KEY_REUSE_SECONDS = '300'

export interface RedrivePolicy {
  readonly deadLetterTargetArn: string
  readonly maxReceiveCount: number
}

export interface RedriveAllowPolicy {
  readonly redrivePermission: 'allowAll' | 'denyAll' | 'byQueue'
  readonly sourceQueueArns?: readonly string[]
}

export const isFifo = ({ name }: Pick<SqsQueue, 'name'>) => name.endsWith('.fifo')

/** The attributes that a queue has, set or not; not those that are counted. */
export function attributesOf(queue: Pick<SqsQueue, 'name' | 'attributes'>): Readonly<Record<string, string>> {
  const { attributes } = queue
  const hasKey = attributes['KmsMasterKeyId'] !== undefined
  return {
    ...DEFAULTS,
    ...(isFifo(queue) && { ...FIFO_DEFAULTS, FifoQueue: 'true' }),
    SqsManagedSseEnabled: String(!hasKey),
    ...(hasKey && { KmsDataKeyReusePeriodSeconds: DEFAULT_KEY_REUSE_SECONDS }),
    ...attributes,
  }
}

export const numberOf = (queue: SqsQueue, name: string) => Number(queue.attributes[name] ?? DEFAULTS[name])

export const redrivePolicyOf = ({ attributes }: SqsQueue): RedrivePolicy | undefined => {
  const text = attributes['RedrivePolicy']
  if (text === undefined) return undefined
  const policy = JSON.parse(text) as RedrivePolicy
  return { ...policy, maxReceiveCount: Number(policy.maxReceiveCount) }
}

export const redriveAllowPolicyOf = ({ attributes }: SqsQueue): RedriveAllowPolicy | undefined => {
  const text = attributes['RedriveAllowPolicy']
  return text === undefined ? undefined : (JSON.parse(text) as RedriveAllowPolicy)
}
