/**
 * AWS's event stream framing: each message is its total length, the length of its headers, a checksum of both,
 * headers, payload, and a checksum of everything. Integers are big-endian, checksums CRC-32.
 */
import { crc32 } from 'node:zlib'

import type { JsonWriters } from '#wire/json-writer.ts'
import { memberPlace, memberShape, type ServiceModel } from '#wire/model.ts'

type Event = Readonly<Record<string, unknown>>

const STRING_HEADER = 7
const PRELUDE_BYTES = 12
const CHECKSUM_BYTES = 4

/** One message. Header names are up to 255 bytes, values up to 65,535, all of them strings. */
export function encodeMessage(headers: Readonly<Record<string, string>>, payload: Uint8Array): Uint8Array {
  const parts = Object.entries(headers).map(([name, value]) => encodeHeader(name, value))
  const headerBytes = parts.reduce((sum, part) => sum + part.byteLength, 0)
  const total = PRELUDE_BYTES + headerBytes + payload.byteLength + CHECKSUM_BYTES
  const out = Buffer.allocUnsafe(total)
  out.writeUInt32BE(total, 0)
  out.writeUInt32BE(headerBytes, 4)
  out.writeUInt32BE(crc32(out.subarray(0, 8)), 8)
  let at = PRELUDE_BYTES
  for (const part of [...parts, payload]) {
    out.set(part, at)
    at += part.byteLength
  }
  out.writeUInt32BE(crc32(out.subarray(0, at)), at)
  return out
}

function encodeHeader(name: string, value: string): Uint8Array {
  const nameBytes = Buffer.byteLength(name)
  const valueBytes = Buffer.byteLength(value)
  const out = Buffer.allocUnsafe(4 + nameBytes + valueBytes)
  out.writeUInt8(nameBytes, 0)
  out.write(name, 1)
  out.writeUInt8(STRING_HEADER, 1 + nameBytes)
  out.writeUInt16BE(valueBytes, 2 + nameBytes)
  out.write(value, 4 + nameBytes)
  return out
}

/** The messages of a stream whose events are unions of the shape: exactly one member each. */
export async function* encodeEvents(
  model: ServiceModel,
  union: string,
  events: AsyncIterable<Event>,
  writers: JsonWriters,
): AsyncGenerator<Uint8Array> {
  const shape = model.shapes[union]
  if (shape?.type !== 'union') throw new Error(`The model has no event stream '${union}'`)
  for await (const event of events) {
    for (const [name, value] of Object.entries(event)) {
      const member = shape.members[name]
      if (member === undefined || typeof value !== 'object' || value === null) continue
      yield encodeEvent(model, name, memberShape(member), value as Event, writers)
    }
  }
}

function encodeEvent(
  model: ServiceModel,
  name: string,
  shapeName: string,
  value: Event,
  writers: JsonWriters,
) {
  const shape = model.shapes[shapeName]
  if (shape?.type !== 'structure') throw new Error(`The event '${name}' is no structure`)
  const raw = Object.entries(shape.members).find(([, member]) => memberPlace(member) === 'event-payload')
  const headers = { ':message-type': 'event', ':event-type': name }
  if (raw) {
    const bytes = value[raw[0]]
    const payload = bytes instanceof Uint8Array ? bytes : new Uint8Array()
    return encodeMessage({ ...headers, ':content-type': 'application/octet-stream' }, payload)
  }
  const json = JSON.stringify(writers.of(shapeName)(value as never))
  return encodeMessage({ ...headers, ':content-type': 'application/json' }, Buffer.from(json))
}
