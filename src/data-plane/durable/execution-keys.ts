/**
 * Keys of executions whose function names a KMS key in its DurableConfig. Each has a data key of its own, made when it
 * begins; the store keeps it encrypted under the KMS key. Once that key can't be used any more, what such an execution has
 * stored can't be read.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

import { keyFailure, type CustomerKeys } from '#contracts/customer-keys.ts'
import type { ExecutionHead } from '#data-plane/durable/execution.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import { MINUTE_MS } from '#kernel/units.ts'

/** Seals documents of one execution. `place` is bound to them: no document can stand in for another. */
export interface ExecutionSeal {
  seal(doc: object, place: string): Json
  open(doc: Json, place: string): Json
}

type Keyed = Pick<ExecutionHead, 'id' | 'function' | 'settings' | 'dataKey'>

export interface ExecutionKeys {
  /** A data key for a new execution, encrypted; undefined when its function names no KMS key. */
  create(head: Keyed): Promise<string | undefined>
  /** Throws the errors that AWS has for keys that can't be used. */
  sealOf(head: Keyed): ExecutionSeal | Promise<ExecutionSeal>
}

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** KMS is asked again after this, so that a key that was disabled ends what it protects. */
const REMEMBERED_MS = 5 * MINUTE_MS
const MAX_REMEMBERED = 10_000

const PLAIN: ExecutionSeal = {
  seal: (doc) => doc as unknown as Json,
  open: (doc) => doc,
}

export function createExecutionKeys({
  keys,
  clock,
}: {
  readonly keys: CustomerKeys
  readonly clock: Pick<Clock, 'now'>
}): ExecutionKeys {
  const remembered = new Map<string, { readonly seal: ExecutionSeal; readonly until: number }>()
  const contextOf = ({ id }: Keyed) => ({ 'aws:lambda:DurableExecution': id })

  const remember = (id: string, dataKey: Uint8Array): ExecutionSeal => {
    const seal = createSeal(dataKey)
    remembered.delete(id)
    remembered.set(id, { seal, until: clock.now() + REMEMBERED_MS })
    const oldest = remembered.size > MAX_REMEMBERED ? remembered.keys().next().value : undefined
    if (oldest !== undefined) remembered.delete(oldest)
    return seal
  }

  const unwrap = async (head: Keyed, wrapped: string): Promise<ExecutionSeal> => {
    try {
      const { plaintext } = await keys.decrypt(head.function, {
        ciphertext: Buffer.from(wrapped, 'base64'),
        context: contextOf(head),
      })
      return remember(head.id, plaintext)
    } catch (error) {
      remembered.delete(head.id)
      throw keyFailure(error, 'access the data of the durable execution')
    }
  }

  return {
    async create(head) {
      const { kmsKeyArn } = head.settings
      if (kmsKeyArn === undefined) return undefined
      const dataKey = randomBytes(KEY_BYTES)
      try {
        const { ciphertext } = await keys.encrypt(head.function, {
          keyId: kmsKeyArn,
          plaintext: dataKey,
          context: contextOf(head),
        })
        remember(head.id, dataKey)
        return Buffer.from(ciphertext).toString('base64')
      } catch (error) {
        throw keyFailure(error, 'access the data of the durable execution')
      }
    },
    sealOf(head) {
      if (head.dataKey === undefined) return PLAIN
      const known = remembered.get(head.id)
      if (known && clock.now() < known.until) return known.seal
      return unwrap(head, head.dataKey)
    },
  }
}

function createSeal(key: Uint8Array): ExecutionSeal {
  return {
    seal(doc, place) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      cipher.setAAD(Buffer.from(place))
      const body = Buffer.concat([cipher.update(JSON.stringify(doc), 'utf8'), cipher.final()])
      return { sealed: Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64') }
    },
    open(doc, place) {
      const bytes = Buffer.from((doc as { readonly sealed: string }).sealed, 'base64')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
      decipher.setAAD(Buffer.from(place))
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
      const body = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES))
      return JSON.parse(Buffer.concat([body, decipher.final()]).toString('utf8')) as Json
    },
  }
}
