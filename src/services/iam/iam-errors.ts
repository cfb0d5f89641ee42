/** IAM's errors. Texts recorded from AWS unless a comment says otherwise. */
import { LambdaError } from '#contracts/errors.ts'

const failed = (code: string, status: number) => (message: string) =>
  new LambdaError(code, message, { status })

export const noSuchEntity = failed('NoSuchEntity', 404)
export const alreadyExists = failed('EntityAlreadyExists', 409)
export const deleteConflict = failed('DeleteConflict', 409)
export const limitExceeded = failed('LimitExceeded', 409)
export const malformedPolicy = failed('MalformedPolicyDocument', 400)
export const invalid = failed('ValidationError', 400)
export const invalidInput = failed('InvalidInput', 400)
export const accessDenied = failed('AccessDenied', 403)

export const noSuchUser = (name: string) => noSuchEntity(`The user with name ${name} cannot be found.`)
export const noSuchRole = (name: string) => noSuchEntity(`The role with name ${name} cannot be found.`)
export const noSuchPolicy = (arn: string) => noSuchEntity(`Policy ${arn} was not found.`)
export const notAttachable = (arn: string) =>
  noSuchEntity(`Policy ${arn} does not exist or is not attachable.`)
export const noSuchVersion = (arn: string, version: string) =>
  noSuchEntity(`Policy ${arn} version ${version} does not exist or is not attachable.`)
export const noSuchAccessKey = (id: string) => noSuchEntity(`The Access Key with id ${id} cannot be found.`)
export const overQuota = (quota: string, max: number) =>
  limitExceeded(`Cannot exceed quota for ${quota}: ${max}`)
/** Text unverified. */
export const tooContended = () =>
  new LambdaError(
    'ConcurrentModification',
    'The request was rejected because multiple requests changed this object',
    {
      status: 409,
    },
  )
export const userNameNeeded = () => invalid('Must specify userName when calling with non-User credentials')

const NAME = /^[\w+=,.@-]+$/

/** `member` is the parameter's name as AWS prints it, such as `roleName`. */
export function checkName(member: string, value: string | undefined): void {
  if (value !== undefined && !NAME.test(value)) {
    throw invalid(
      `The specified value for ${member} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`,
    )
  }
}
