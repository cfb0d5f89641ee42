/**
 * Messages of topics with a KMS key (`KmsMasterKeyId`): what lies in the outbox of them is encrypted. A data key serves a
 * topic for five minutes, as in AWS.
 */
import { randomBytes } from 'node:crypto'

import type { CustomerKeys } from '#contracts/customer-keys.ts'
import { LambdaError } from '#contracts/errors.ts'
import { snsTopicArn, type SnsTopic } from '#contracts/sns.ts'
import type { Clock } from '#kernel/clock.ts'
import { createSealer, type Sealer } from '#kernel/sealed.ts'

import type { TopicName } from './topic-arns.ts'

export interface MessageVault {
  /** Undefined: the topic has no key. Rejects with SNS's errors of keys that can't be used. */
  lock(topic: SnsTopic): Promise<MessageLock | undefined>
  /** The payload again. Rejects when the key can't be used now. */
  open(topic: TopicName, dataKey: string, payload: Uint8Array): Promise<Uint8Array>
}

export interface MessageLock {
  /** Encrypted under the KMS key, base64. */
  readonly dataKey: string
  seal(payload: Uint8Array): Uint8Array
}

const REUSE_MS = 5 * 60_000
const MAX_OPENED = 1000
const KEY_BYTES = 32

const CODES: Readonly<Record<string, string>> = {
  AccessDeniedException: 'KMSAccessDenied',
  DisabledException: 'KMSDisabled',
  NotFoundException: 'KMSNotFound',
}

function keyFailure(error: unknown): unknown {
  if (!(error instanceof LambdaError)) return error
  const code = CODES[error.code] ?? 'KMSInvalidState'
  return new LambdaError(code, error.message, { status: 400, cause: error })
}

export function createMessageVault({
  keys,
  clock,
}: {
  readonly keys: CustomerKeys
  readonly clock: Clock
}): MessageVault {
  const inUse = new Map<string, { readonly lock: Promise<MessageLock>; readonly until: number }>()
  const opened = new Map<string, { readonly sealer: Promise<Sealer>; readonly until: number }>()

  const remember = <Entry extends { readonly until: number }>(
    entries: Map<string, Entry>,
    key: string,
    entry: Entry,
  ) => {
    entries.set(key, entry)
    for (const [other, { until }] of entries) {
      if (entries.size <= MAX_OPENED && until > clock.now()) break
      entries.delete(other)
    }
  }
  const fresh = <Entry extends { readonly until: number }>(entry: Entry | undefined) =>
    entry && entry.until > clock.now() ? entry : undefined

  const newLock = async (topic: SnsTopic, keyId: string): Promise<MessageLock> => {
    const arn = snsTopicArn(topic, topic.name)
    const key = randomBytes(KEY_BYTES)
    const context = { 'aws:sns:topicArn': arn }
    const { ciphertext } = await keys
      .encrypt(topic, { keyId, plaintext: key, context })
      .catch((error: unknown) => {
        throw keyFailure(error)
      })
    const sealer = createSealer(key)
    return {
      dataKey: Buffer.from(ciphertext).toString('base64'),
      seal: (payload) => Buffer.from(sealer.seal(Buffer.from(payload).toString('utf8'), arn)),
    }
  }

  return {
    async lock(topic) {
      const keyId = topic.attributes['KmsMasterKeyId']
      if (keyId === undefined) return undefined
      const name = `${snsTopicArn(topic, topic.name)} ${keyId}`
      let entry = fresh(inUse.get(name))
      if (!entry) {
        entry = { lock: newLock(topic, keyId), until: clock.now() + REUSE_MS }
        entry.lock.catch(() => inUse.delete(name))
        remember(inUse, name, entry)
      }
      return await entry.lock
    },
    async open(topic, dataKey, payload) {
      const arn = snsTopicArn(topic, topic.name)
      let entry = fresh(opened.get(dataKey))
      if (!entry) {
        const ciphertext = Buffer.from(dataKey, 'base64')
        const sealer = keys
          .decrypt(topic, { ciphertext, context: { 'aws:sns:topicArn': arn } })
          .then(({ plaintext }) => createSealer(plaintext))
        entry = { sealer, until: clock.now() + REUSE_MS }
        sealer.catch(() => opened.delete(dataKey))
        remember(opened, dataKey, entry)
      }
      return Buffer.from((await entry.sealer).open(Buffer.from(payload).toString('utf8'), arn))
    },
  }
}
