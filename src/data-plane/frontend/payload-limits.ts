import { LambdaError } from '#contracts/errors.ts'
import { MAX_ASYNC_PAYLOAD_BYTES, MAX_SYNC_PAYLOAD_BYTES } from '#contracts/limits.ts'

// The API model has RequestTooLargeException for this; what clients really get is the name below (recorded from AWS).
const tooLarge = (message: string) =>
  new LambdaError('RequestEntityTooLargeException', message, { status: 413 })

/** Refuses the body of an Invoke request that no kind of invocation could take. */
export function refuseLargeRequest(bodyBytes: number): void {
  if (bodyBytes <= MAX_SYNC_PAYLOAD_BYTES) return
  throw tooLarge(
    `Request must be smaller than ${MAX_SYNC_PAYLOAD_BYTES} bytes for the InvokeFunction operation`,
  )
}

/** Refuses a payload that is too large for its kind of invocation, whoever sends it. Texts recorded from AWS. */
export function refuseLargePayload(payloadBytes: number, type: 'RequestResponse' | 'Event'): void {
  const limit = type === 'Event' ? MAX_ASYNC_PAYLOAD_BYTES : MAX_SYNC_PAYLOAD_BYTES
  if (payloadBytes <= limit) return
  throw tooLarge(
    `${payloadBytes} byte payload is too large for the ${type} invocation type (limit ${limit} bytes)`,
  )
}
