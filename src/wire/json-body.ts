/** Bytes of a request body to JSON. */
import { isUtf8 } from 'node:buffer'

import { notCollection, serializationFailed } from '#wire/serialization.ts'

export type JsonObject = Readonly<Record<string, unknown>>

const EMPTY: JsonObject = {}

/**
 * Reads a body that must hold a JSON object. An empty body and `null` count as an object without members.
 * Rejects with SerializationException; the parser's own words stay with us, they would quote the body.
 */
export function parseJsonObject(body: Uint8Array): JsonObject {
  if (body.byteLength === 0) return EMPTY
  if (!isUtf8(body)) throw serializationFailed('Invalid UTF-8 in the request body')
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch {
    throw serializationFailed('Could not parse request body into json')
  }
  if (value === null) return EMPTY
  if (typeof value !== 'object' || Array.isArray(value)) throw notCollection(value)
  return value as JsonObject
}

/** Sets a key that a client chose, `__proto__` included. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  } else {
    target[key] = value
  }
}
