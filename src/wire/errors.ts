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

/** What the door and the verifier call by the names of the JSON protocols has older names here (AWS's common errors). */
const QUERY_CODES: ReadonlyMap<string, string> = new Map([
  ['AccessDeniedException', 'AccessDenied'],
  ['ExpiredTokenException', 'ExpiredToken'],
  ['IncompleteSignatureException', 'IncompleteSignature'],
  ['InvalidSignatureException', 'SignatureDoesNotMatch'],
  ['MissingAuthenticationTokenException', 'MissingAuthenticationToken'],
  ['SerializationException', 'MalformedInput'],
  ['ServiceException', 'InternalFailure'],
  ['UnrecognizedClientException', 'InvalidClientTokenId'],
])

/** An error's name in the query protocol. */
export const queryCode = (model: ServiceModel, code: string): string =>
  model.errors[code]?.queryCode ?? QUERY_CODES.get(code) ?? code

/** Listed by models of ours so that they have a name in the query protocol, but at home with all services. */
const COMMON_NAMES = new Set(['InvalidParameterValueException', 'MissingRequiredParameterException'])

/** AWS JSON knows one status for every mistake of a client, except those that HTTP itself is about. */
const jsonStatus = (status: number) => (status < 500 && status !== 408 && status !== 413 ? 400 : status)

export const jsonContentType = ({ protocol }: ServiceModel) =>
  `application/x-amz-json-${protocol === 'aws-json-1.0' ? '1.0' : '1.1'}`

/** What AWS's own frameworks call the home of errors that no model lists. */
const COMMON_ERRORS = 'com.amazon.coral.service'

/** AWS JSON: the name in the body. */
export function writeJsonError(model: ServiceModel, error: LambdaError): WireResponse {
  const headers = ['Content-Type', jsonContentType(model)]
  for (const [name, value] of Object.entries(error.headers)) headers.push(name, value)
  const text = UNMODELLED.get(error.code) ?? model.errors[error.code]?.message ?? 'message'
  const isOwn = model.errors[error.code] !== undefined && !COMMON_NAMES.has(error.code)
  const home = model.errorNamespace && (isOwn ? model.errorNamespace : COMMON_ERRORS)
  const body = {
    __type: home ? `${home}#${error.code}` : error.code,
    ...error.members,
    [text]: error.message,
  }
  const status = statusOf(model, error)
  if (model.query) {
    const fault = status < 500 ? 'Sender' : 'Receiver'
    headers.push('x-amzn-query-error', `${queryCode(model, error.code)};${fault}`)
    return { status, headers, body: JSON.stringify(body) }
  }
  return { status: jsonStatus(status), headers, body: JSON.stringify(body) }
}
