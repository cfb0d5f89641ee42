/** What is wrong with an image in the words of the Lambda API: for a request that names it, and for a function's state. */
import { invalidParameter, LambdaError, serviceFailure } from '#contracts/errors.ts'

import { ImageRefused } from './image-refused.ts'

/** Texts as clients have reported them from AWS, unless a comment says otherwise. */
export function requestError(error: unknown, uri: string): unknown {
  if (!(error instanceof ImageRefused)) return error
  const { problem, message } = error
  if (problem === 'bad-name') {
    return invalidParameter(`Source image ${uri} is not valid. Provide a valid source image.`)
  }
  if (problem === 'not-found') {
    return invalidParameter(`Source image ${uri} does not exist. Provide a valid source image.`)
  }
  if (problem === 'access-denied') {
    return new LambdaError(
      'AccessDeniedException',
      'Lambda does not have permission to access the ECR image. Check the ECR permissions.',
      { status: 403 },
    )
  }
  if (problem === 'unsupported') {
    return invalidParameter(
      `The image manifest, config or layer media type for the source image ${uri} is not supported.`,
    )
  }
  if (problem === 'unreachable') {
    // Ours: AWS takes images from its own registry only.
    return serviceFailure(`The registry of the source image ${uri} can not be reached: ${message}.`, error)
  }
  // AWS takes no index (that is its text above), so it has none for a platform that is missing in one; unverified.
  return invalidParameter(`Source image ${uri} is not valid: ${message}. Provide a valid source image.`)
}

/** Codes of the API's enum StateReasonCode. The text of the size is as reported; the others unverified. */
export function stateError(error: unknown): unknown {
  if (!(error instanceof ImageRefused)) return error
  const { problem, message } = error
  if (problem === 'not-found')
    return new LambdaError('ImageDeleted', 'The image was deleted from its registry.')
  if (problem === 'access-denied') {
    return new LambdaError(
      'ImageAccessDenied',
      'Lambda does not have permission to access the ECR image. Check the ECR permissions.',
    )
  }
  if (problem === 'too-large') {
    return new LambdaError('InvalidImage', `SizeLimitExceeded: ${message}`)
  }
  if (problem === 'unreachable') {
    return new LambdaError('InternalError', `The registry can not be reached: ${message}.`, { cause: error })
  }
  return new LambdaError('InvalidImage', `${message}.`)
}
