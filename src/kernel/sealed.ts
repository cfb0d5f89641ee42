/** Secrets at rest: AES-256-GCM with a random nonce. The sealed form is base64 of nonce (12) + tag (16) + ciphertext. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Seals and opens small secrets. `context` is bound to the ciphertext: opening under another context fails. */
export interface Sealer {
  seal(plain: string, context: string): string
  /** Throws when the text was changed, or was sealed with another key or under another context. */
  open(sealed: string, context: string): string
}

/** `key` is 32 bytes and never leaves this closure. */
export function createSealer(key: Uint8Array): Sealer {
  if (key.byteLength !== 32) throw new RangeError('A sealing key has 32 bytes')
  return {
    seal(plain, context) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      cipher.setAAD(Buffer.from(context))
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64')
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed, 'base64')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
      decipher.setAAD(Buffer.from(context))
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
      return Buffer.concat([
        decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)),
        decipher.final(),
      ]).toString('utf8')
    },
  }
}
