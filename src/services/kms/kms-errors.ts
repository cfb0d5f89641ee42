/** KMS's errors. Every status is 400. Texts recorded from AWS unless a comment says otherwise. */
import { LambdaError } from '#contracts/errors.ts'

const failed = (code: string) => (message: string) => new LambdaError(code, message, { status: 400 })

export const notFound = failed('NotFoundException')
export const validation = failed('ValidationException')
export const unsupported = failed('UnsupportedOperationException')
export const invalidState = failed('KMSInvalidStateException')
/** Text as clients report it. */
export const disabled = (arn: string) => failed('DisabledException')(`${arn} is disabled.`)
/** Text after that of keys pending import, which is recorded. */
export const pendingDeletion = (arn: string) => invalidState(`${arn} is pending deletion.`)
export const noSuchKey = (arn: string) => notFound(`Key '${arn}' does not exist`)
export const invalidKeyId = (id: string) => notFound(`Invalid keyId '${id}'`)
export const noSuchAlias = (arn: string) => notFound(`Alias ${arn} is not found.`)
export const aliasNotAllowed = () =>
  failed('InvalidArnException')('Key Aliases are not supported for this operation.')
export const invalidCiphertext = () => failed('InvalidCiphertextException')('')
export const incorrectKey = () =>
  failed('IncorrectKeyException')(
    'The key ID in the request does not identify a CMK that can perform this operation.',
  )
/** Text as clients report it. */
export const aliasExists = (arn: string) =>
  failed('AlreadyExistsException')(`An alias with the name ${arn} already exists`)
export const badPrefix = () =>
  validation(
    'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
  )
/** Name from the API reference; text unverified. */
export const reservedAlias = () =>
  failed('NotAuthorizedException')('The alias prefix "alias/aws/" is reserved for AWS')
/** Text unverified: in AWS the key's policy refuses. */
export const managedByAws = (arn: string) =>
  failed('AccessDeniedException')(`The key ${arn} is managed by AWS and can not be changed`)
/** Text unverified. */
export const malformedPolicy = () =>
  failed('MalformedPolicyDocumentException')('The new key policy is not a valid JSON policy.')
/** Text unverified. */
export const tooManyTags = () => failed('LimitExceededException')('A key can have at most 50 tags')
/** Texts unverified. */
export const badTag = failed('TagException')
export const badMarker = () => failed('InvalidMarkerException')('Could not deserialize marker.')
export const dryRun = () =>
  failed('DryRunOperationException')('The request would have succeeded, but the DryRun option is set.')
