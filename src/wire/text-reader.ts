/** Values that travel as text (labels, query parameters, headers) to the values that handlers see. */
import type { Shape } from '#wire/model.ts'
import { serializationFailed, notScalar } from '#wire/serialization.ts'

/** Throws SerializationException. */
export type TextReader = (text: string) => unknown

const INTEGER = /^[+-]?\d{1,16}$/
const DOUBLE = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/
const MAX_INT32 = 2_147_483_647

export function textReader(shape: Shape): TextReader {
  switch (shape.type) {
    case 'integer':
      return (text) => readInteger(text, 'an Integer', MAX_INT32)
    case 'long':
      return (text) => readInteger(text, 'a Long', Number.MAX_SAFE_INTEGER)
    case 'double':
      return readDouble
    case 'boolean':
      return readBoolean
    case 'timestamp':
      return readTimestamp
    case 'string':
      return (text) => text
    default:
      throw new Error(`A member of type '${shape.type}' can't travel as text`)
  }
}

function readInteger(text: string, wanted: string, limit: number): number {
  const value = INTEGER.test(text) ? Number(text) : Number.NaN
  if (!(Math.abs(value) <= limit)) throw notScalar(text, wanted)
  return value === 0 ? 0 : value
}

function readDouble(text: string): number {
  const value = DOUBLE.test(text) ? Number(text) : Number.NaN
  if (!Number.isFinite(value)) throw notScalar(text, 'a Double')
  return value
}

function readBoolean(text: string): boolean {
  if (text === 'true') return true
  if (text === 'false') return false
  throw notScalar(text, 'a Boolean')
}

/** ISO 8601, or epoch seconds. */
function readTimestamp(text: string): Date {
  const date = new Date(DOUBLE.test(text) ? Math.round(Number(text) * 1000) : text)
  if (Number.isNaN(date.getTime())) throw serializationFailed('Unparseable timestamp found')
  return date
}
