/** JSON values to the values that handlers see: blobs as Uint8Array, timestamps as Date. Compiled once per shape. */
import { setOwn, type JsonObject } from '#wire/json-body.ts'
import { memberShape, type ServiceModel, type Shape, type StructureShape } from '#wire/model.ts'
import { notCollection, notScalar, serializationFailed } from '#wire/serialization.ts'

/** Takes a JSON value that is not null. Throws SerializationException. */
export type Reader = (value: unknown) => unknown

export interface JsonReaders {
  /** The reader of a shape by its name. */
  of(shape: string): Reader
}

export function createJsonReaders(model: ServiceModel): JsonReaders {
  const compiled = new Map<string, Reader>()
  const of = (name: string): Reader => {
    const known = compiled.get(name)
    if (known) return known
    // Shapes may contain themselves: until this one is compiled, a detour stands for it.
    let reader: Reader = () => undefined
    compiled.set(name, (value) => reader(value))
    const shape = model.shapes[name]
    if (!shape) throw new Error(`The model has no shape '${name}'`)
    reader = compile(shape, of)
    compiled.set(name, reader)
    return reader
  }
  return { of }
}

function compile(shape: Shape, of: (name: string) => Reader): Reader {
  switch (shape.type) {
    case 'string':
      return readString
    case 'boolean':
      return readBoolean
    case 'integer':
      return (value) => readInteger(value, 'an Integer', MAX_INT32)
    case 'long':
      return (value) => readInteger(value, 'a Long', Number.MAX_SAFE_INTEGER)
    case 'double':
      return readDouble
    case 'timestamp':
      return readTimestamp
    case 'blob':
      return readBlob
    case 'document':
      return (value) => value
    case 'list':
      return listReader(of(shape.member))
    case 'map':
      return mapReader(of(shape.value))
    default:
      return structureReader(shape, of)
  }
}

const MAX_INT32 = 2_147_483_647

function readString(value: unknown): string {
  if (typeof value !== 'string') throw notScalar(value, 'a String')
  return value
}

function readBoolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw notScalar(value, 'a Boolean')
  return value
}

/** A fraction is cut off, as AWS's "truncating" numbers suggest (unverified). */
function readInteger(value: unknown, wanted: string, limit: number): number {
  if (typeof value !== 'number') throw notScalar(value, wanted)
  const whole = Math.trunc(value)
  if (Math.abs(whole) > limit) throw notScalar(value, wanted)
  // No negative zero: it would print as "0" and compare as 0, but not be equal to it.
  return whole === 0 ? 0 : whole
}

function readDouble(value: unknown): number {
  if (typeof value !== 'number') throw notScalar(value, 'a Double')
  return value
}

/** Epoch seconds, with a fraction or without. */
function readTimestamp(value: unknown): Date {
  if (typeof value !== 'number') throw notScalar(value, 'a Date')
  const date = new Date(Math.round(value * 1000))
  if (Number.isNaN(date.getTime())) throw notScalar(value, 'a Date')
  return date
}

function readBlob(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw notScalar(value, 'a Blob')
  return decodeBase64(value)
}

/** Standard alphabet, padded. Node's own decoder would skip whatever it does not know. */
export function decodeBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0) {
    throw serializationFailed(
      `Base64 encoded length is expected a multiple of 4 bytes but found: ${text.length}`,
    )
  }
  const end = text.endsWith('==') ? text.length - 2 : text.endsWith('=') ? text.length - 1 : text.length
  const bad = NOT_BASE64.exec(end === text.length ? text : text.slice(0, end))
  if (bad) throw serializationFailed(`Invalid Base64 character: '${bad[0]}'`)
  return Buffer.from(text, 'base64')
}

const NOT_BASE64 = /[^A-Za-z0-9+/]/u

/** Null elements stay: validation reports them. */
function listReader(read: Reader): Reader {
  return (value) => {
    if (!Array.isArray(value)) throw notCollection(value)
    return value.map((element: unknown) => (element === null ? null : read(element)))
  }
}

function mapReader(read: Reader): Reader {
  return (value) => {
    if (typeof value !== 'object' || Array.isArray(value)) throw notCollection(value)
    const out: Record<string, unknown> = {}
    for (const [key, item] of Object.entries(value as JsonObject)) {
      setOwn(out, key, item === null ? null : read(item))
    }
    return out
  }
}

/** Members that the model does not know are dropped; null counts as absent. Both as AWS does. */
function structureReader(shape: Pick<StructureShape, 'members'>, of: (name: string) => Reader): Reader {
  const members = Object.entries(shape.members).map(([name, member]) => ({
    name,
    read: of(memberShape(member)),
  }))
  return (value) => {
    if (typeof value !== 'object' || Array.isArray(value)) throw notCollection(value)
    const out: Record<string, unknown> = {}
    for (const { name, read } of members) {
      const item = (value as JsonObject)[name]
      if (item !== undefined && item !== null) out[name] = read(item)
    }
    return out
  }
}
