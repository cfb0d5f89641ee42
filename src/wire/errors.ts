/** Errors as AWS's clients expect them on the wire, and the errors of the wire layer itself. */
import { LambdaError } from '#contracts/errors.ts'
import type { ServiceModel } from '#wire/model.ts'
import type { WireResponse } from '#wire/protocol.ts'

/**
 * Errors that no model lists, and how their body spells the text. ValidationException carries nothing else and
 * AccessDeniedException says `Message` (both recorded from AWS); the others are unverified.
 */
const UNMODELLED: ReadonlyMap<string, 'message' | 'Message'> = new Map([
  ['ValidationException', 'message'],
  ['AccessDeniedException', 'Message'],
  ['AccessDenied', 'message'],
  ['SerializationException', 'Message'],
  ['UnknownOperationException', 'message'],
  ['RequestEntityTooLargeException', 'message'],
  ['MissingAuthenticationTokenException', 'message'],
  ['IncompleteSignatureException', 'message'],
  ['InvalidSignatureException', 'message'],
  ['UnrecognizedClientException', 'message'],
  ['ExpiredTokenException', 'message'],
  ['RequestTimeoutException', 'message'],
  ['NotImplementedException', 'message'],
])

/** What AWS answers to a path or method that no operation has (as clients have reported it for Lambda). */
export const unknownOperation = () =>
  new LambdaError('AccessDeniedException', 'Unable to determine service/operation name to be authorized', {
    status: 403,
  })

/**
 * An operation of AWS that this program does not have. AWS has no word for it. 501 is the one status above 499 that
 * no SDK retries.
 */
export const notBuilt = (service: string, operation: string) =>
  new LambdaError(
    'NotImplementedException',
    `The operation '${operation}' of '${service}' is not available here`,
    {
      status: 501,
    },
  )

export function statusOf(model: ServiceModel, error: LambdaError): number {
  return error.status ?? model.errors[error.code]?.status ?? (error.fault === 'platform' ? 500 : 400)
}

/** REST JSON: the name in a header, the text and whose fault it is in the body. */
export function writeRestError(model: ServiceModel, error: LambdaError): WireResponse {
  const status = statusOf(model, error)
  const modelled = model.errors[error.code]
  const headers = ['Content-Type', 'application/json', 'x-amzn-ErrorType', error.code]
  const body: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(error.members)) {
    const header = modelled?.headers?.[name]
    if (header === undefined) body[name] = value
    else headers.push(header, String(value))
  }
  for (const [name, value] of Object.entries(error.headers)) headers.push(name, value)
  const bare = UNMODELLED.get(error.code)
  if (bare === undefined && !error.withoutType) body['Type'] = status >= 500 ? 'Service' : 'User'
  // An error without a text has a null there, not nothing (recorded from AWS).
  body[bare ?? modelled?.message ?? 'message'] = error.message === '' ? null : error.message
  return { status, headers, body: JSON.stringify(body) }
}

/** AWS JSON knows one status for every mistake of a client, except those that HTTP itself is about. */
const jsonStatus = (status: number) => (status < 500 && status !== 408 && status !== 413 ? 400 : status)

/** AWS JSON 1.1: the name in the body. */
export function writeJsonError(model: ServiceModel, error: LambdaError): WireResponse {
  const headers = ['Content-Type', 'application/x-amz-json-1.1']
  for (const [name, value] of Object.entries(error.headers)) headers.push(name, value)
  const text = UNMODELLED.get(error.code) ?? model.errors[error.code]?.message ?? 'message'
  const body = { __type: error.code, ...error.members, [text]: error.message }
  return { status: jsonStatus(statusOf(model, error)), headers, body: JSON.stringify(body) }
}
