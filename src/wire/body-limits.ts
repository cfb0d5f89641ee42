/** How large a request of each operation may be, and what AWS says when it is larger. */
import { MAX_CREATE_REQUEST_BYTES, MAX_SYNC_PAYLOAD_BYTES } from '#contracts/limits.ts'
import { LambdaError } from '#contracts/errors.ts'

/** The three operations whose requests carry code packages. */
const WITH_CODE: ReadonlySet<string> = new Set([
  'CreateFunction',
  'UpdateFunctionCode',
  'PublishLayerVersion',
])

/** Bytes. That all other operations share the limit of an invocation is unverified. */
export const maxBodyBytes = (operation: string) =>
  WITH_CODE.has(operation) ? MAX_CREATE_REQUEST_BYTES : MAX_SYNC_PAYLOAD_BYTES

/** The text is recorded from AWS, which calls the operation by an older name. */
export function requestTooLarge(operation: string, maxBytes: number): LambdaError {
  const name = operation === 'Invoke' ? 'InvokeFunction' : operation
  return new LambdaError(
    'RequestEntityTooLargeException',
    `Request must be smaller than ${maxBytes} bytes for the ${name} operation`,
    { status: 413 },
  )
}
