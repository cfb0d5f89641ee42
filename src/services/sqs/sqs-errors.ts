/** SQS's errors, by the names of its JSON protocol. Texts recorded from AWS unless a comment says otherwise. */
import { LambdaError } from '#contracts/errors.ts'

const failed = (code: string) => (message: string) => new LambdaError(code, message)

export const invalidParameter = (message: string) =>
  new LambdaError('InvalidParameterValueException', message, { status: 400 })
export const invalidValue = (value: unknown, parameter: string, reason: string) =>
  invalidParameter(`Value ${String(value)} for parameter ${parameter} is invalid. Reason: ${reason}`)
export const missing = (parameter: string) =>
  new LambdaError(
    'MissingRequiredParameterException',
    `The request must contain the parameter ${parameter}.`,
    { status: 400 },
  )

export const noSuchQueue = () => failed('QueueDoesNotExist')('The specified queue does not exist.')
export const queueNameExists = (attribute: string) =>
  failed('QueueNameExists')(
    `A queue already exists with the same name and a different value for attribute ${attribute}`,
  )
export const unknownAttribute = (name: string) => failed('InvalidAttributeName')(`Unknown Attribute ${name}.`)
export const invalidAttributeName = failed('InvalidAttributeName')
/** Text as clients report it. */
export const invalidAttributeValue = (name: string, reason = '') =>
  failed('InvalidAttributeValue')(`Invalid value for the parameter ${name}.${reason && ` Reason: ${reason}`}`)
/** Text as clients report it. */
export const invalidHandle = (handle: string) =>
  failed('ReceiptHandleIsInvalid')(`The input receipt handle "${handle}" is not a valid receipt handle.`)
export const expiredHandle = (handle: string) =>
  invalidValue(handle, 'ReceiptHandle', 'The receipt handle has expired.')
/** Text as clients report it. */
export const messageIsGone = (handle: string) =>
  invalidValue(
    handle,
    'ReceiptHandle',
    'Message does not exist or is not available for visibility timeout change.',
  )
/** Text unverified. */
export const notInFlight = () => failed('MessageNotInflight')('The message referred to is not in flight.')
/** Text unverified. */
export const tooManyInFlight = () => failed('OverLimit')('Too many messages in flight.')
export const purgeInProgress = (name: string) =>
  failed('PurgeQueueInProgress')(`Only one PurgeQueue operation on ${name} is allowed every 60 seconds.`)
/** Text as clients report it. */
export const invalidContents = () =>
  failed('InvalidMessageContents')(
    'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF',
  )
export const emptyBatch = (entry: string) =>
  failed('EmptyBatchRequest')(`There should be at least one ${entry} in the request.`)
export const tooManyEntries = (count: number) =>
  failed('TooManyEntriesInBatchRequest')(
    `Maximum number of entries per request are 10. You have sent ${count}.`,
  )
export const invalidBatchId = () =>
  failed('InvalidBatchEntryId')(
    'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
  )
export const idsNotDistinct = (id: string) => failed('BatchEntryIdsNotDistinct')(`Id ${id} repeated.`)
export const batchTooLong = (max: number, bytes: number) =>
  failed('BatchRequestTooLong')(
    `Batch requests cannot be longer than ${max} bytes. You have sent ${bytes} bytes.`,
  )
export const resourceNotFound = failed('ResourceNotFoundException')
/** Text as clients report it. */
export const tooManyActions = (count: number) =>
  failed('OverLimit')(`${count} Actions were found, maximum allowed is 7.`)
/** What a client may try again; the text is ours. */
export const throttled = (message: string) => failed('RequestThrottled')(message)
/** What a client may try again; the text is ours. */
export const unavailable = (message: string, cause?: unknown) =>
  new LambdaError('ServiceUnavailable', message, { status: 503, fault: 'platform', cause })
/** A queue of another account, where no policy has been asked (text as clients report it). */
export const accessDenied = () =>
  new LambdaError('AccessDeniedException', 'Access to the resource is denied.', { status: 403 })
