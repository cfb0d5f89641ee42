/**
 * Ciphertexts of KMS: AES-256-GCM with a random nonce. The blob holds the key's id, so that Decrypt needs no other word
 * of it; key, account, region and encryption context are bound to it.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

import { KMS_BLOB_FORM, KMS_ID_BYTES, kmsKeyArn, kmsKeyIdOf, type KmsKey } from '#contracts/kms.ts'

export type EncryptionContext = Readonly<Record<string, string>>

const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + KMS_ID_BYTES
const OVERHEAD_BYTES = HEAD_BYTES + NONCE_BYTES + TAG_BYTES

/** Equal for equal contexts, whatever their order. */
function boundData(key: KmsKey, context: EncryptionContext): Buffer {
  const pairs = Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)))
  return Buffer.from(JSON.stringify([kmsKeyArn(key), pairs]))
}

export function encryptUnder(
  key: KmsKey,
  material: Uint8Array,
  plaintext: Uint8Array,
  context: EncryptionContext,
): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', material, nonce)
  cipher.setAAD(boundData(key, context))
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return Buffer.concat([
    Buffer.from([KMS_BLOB_FORM]),
    Buffer.from(key.id, 'latin1'),
    nonce,
    cipher.getAuthTag(),
    body,
  ])
}

/** Id of the key that a blob names; undefined when it is no blob of ours. Nothing is proved by it. */
export const keyIdOf = (blob: Uint8Array): string | undefined =>
  blob.byteLength < OVERHEAD_BYTES ? undefined : kmsKeyIdOf(blob)

/** Undefined when the blob was changed, or encrypted under another key or context. */
export function decryptUnder(
  key: KmsKey,
  material: Uint8Array,
  blob: Uint8Array,
  context: EncryptionContext,
): Uint8Array | undefined {
  const nonce = blob.subarray(HEAD_BYTES, HEAD_BYTES + NONCE_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', material, nonce)
  decipher.setAAD(boundData(key, context))
  decipher.setAuthTag(blob.subarray(HEAD_BYTES + NONCE_BYTES, OVERHEAD_BYTES))
  try {
    return Buffer.concat([decipher.update(blob.subarray(OVERHEAD_BYTES)), decipher.final()])
  } catch {
    return undefined
  }
}
