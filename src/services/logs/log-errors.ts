/** CloudWatch Logs' errors. Texts recorded from AWS unless a comment says otherwise. Every status is 400. */
import { LambdaError } from '#contracts/errors.ts'

const failed = (code: string, message: string) => new LambdaError(code, message, { status: 400 })

export const noSuchGroup = () =>
  failed('ResourceNotFoundException', 'The specified log group does not exist.')
export const noSuchStream = () =>
  failed('ResourceNotFoundException', 'The specified log stream does not exist.')
/** Text unverified. */
export const noSuchResource = () =>
  failed('ResourceNotFoundException', 'The specified resource does not exist.')
export const groupExists = () =>
  failed('ResourceAlreadyExistsException', 'The specified log group already exists')
export const streamExists = () =>
  failed('ResourceAlreadyExistsException', 'The specified log stream already exists')
export const invalidRequest = (message: string) => failed('InvalidParameterException', message)
export const invalidToken = () => invalidRequest('The specified nextToken is invalid.')
export const groupNamedTwice = () =>
  failed('ValidationException', 'LogGroup name and LogGroup ARN are mutually exclusive parameters.')
/** Text unverified. */
export const groupNotNamed = () =>
  failed('ValidationException', 'Either logGroupName or logGroupIdentifier must be specified.')
/** Text unverified. */
export const tooManyTags = () =>
  failed('TooManyTagsException', 'The maximum number of tags for a resource is 50.')
/** Text unverified. */
export const groupProtected = () => failed('ValidationException', 'The log group is protected from deletion.')
