/**
 * What AWS answers when a request can't be read at all: SerializationException, before any constraint is looked at.
 * The texts are those of AWS's service framework as clients have reported them for several services; that Lambda's
 * are the same is unverified.
 */
import { LambdaError } from '#contracts/errors.ts'

export const serializationFailed = (message: string) =>
  new LambdaError('SerializationException', message, { status: 400 })

/** AWS's name for the kind of a JSON value in such texts. */
export function tokenName(value: unknown): string {
  if (typeof value === 'string') return 'STRING_VALUE'
  if (typeof value === 'number') return Number.isInteger(value) ? 'NUMBER_VALUE' : 'DECIMAL_VALUE'
  return value === true ? 'TRUE_VALUE' : 'FALSE_VALUE'
}

/** A scalar was expected, `wanted` with its article: `a String`, `an Integer`. */
export function notScalar(value: unknown, wanted: string): LambdaError {
  if (Array.isArray(value)) return serializationFailed('Start of list found where not expected')
  if (typeof value === 'object') {
    return serializationFailed('Start of structure or map found where not expected.')
  }
  return serializationFailed(`${tokenName(value)} can not be converted to ${wanted}`)
}

/** A structure, map or list was expected. */
export function notCollection(value: unknown): LambdaError {
  if (Array.isArray(value)) return serializationFailed('Start of list found where not expected')
  if (typeof value === 'object') {
    return serializationFailed('Start of structure or map found where not expected.')
  }
  return serializationFailed('Unexpected value type in payload')
}
