/** Long secrets at rest, in pieces: AES-256-GCM. The sealed form is a nonce (12), the ciphertext, and a tag (16). */
import { createCipheriv, createDecipheriv, randomBytes, type DecipherGCM } from 'node:crypto'
import { Transform } from 'node:stream'

const NONCE_BYTES = 12
const TAG_BYTES = 16
/** What sealing adds. */
export const SEALED_STREAM_BYTES = NONCE_BYTES + TAG_BYTES

/** Use a key for one secret only. */
export function sealStream(key: Uint8Array): Transform {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  let isBegun = false
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (!isBegun) this.push(nonce)
      isBegun = true
      done(null, cipher.update(chunk))
    },
    flush(done) {
      if (!isBegun) this.push(nonce)
      const last = cipher.final()
      done(null, Buffer.concat([last, cipher.getAuthTag()]))
    },
  })
}

/** Fails at the end when anything was changed: until then nothing that came out is proved. */
export function openStream(key: Uint8Array): Transform {
  let decipher: DecipherGCM | undefined
  /** At first the nonce, later always the last bytes, which may be the tag. */
  let held = Buffer.alloc(0)
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      held = Buffer.concat([held, chunk])
      if (!decipher) {
        if (held.byteLength < NONCE_BYTES) return done()
        decipher = createDecipheriv('aes-256-gcm', key, held.subarray(0, NONCE_BYTES))
        held = held.subarray(NONCE_BYTES)
      }
      const ready = held.byteLength - TAG_BYTES
      if (ready <= 0) return done()
      const out = decipher.update(held.subarray(0, ready))
      held = held.subarray(ready)
      return done(null, out)
    },
    flush(done) {
      if (!decipher || held.byteLength !== TAG_BYTES) return done(new Error('The sealed stream ends early'))
      try {
        decipher.setAuthTag(held)
        return done(null, decipher.final())
      } catch (cause) {
        return done(new Error('The sealed stream was changed, or sealed with another key', { cause }))
      }
    },
  })
}
