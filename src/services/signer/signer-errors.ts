/** Signer's errors. Texts unverified unless a comment says otherwise. */
import { LambdaError } from '#contracts/errors.ts'

const failed = (code: string, status: number) => (message: string) =>
  new LambdaError(code, message, { status, withoutType: true })

export const validation = failed('ValidationException', 400)
const notFound = failed('ResourceNotFoundException', 404)
/** Recorded from AWS. */
export const noSuchProfile = (name: string) => notFound(`profile with name ${name} does not exist`)
export const noSuchJob = (id: string) => notFound(`job with id ${id} does not exist`)
export const noSuchPlatform = (id: string) => notFound(`platform with id ${id} does not exist`)
/** AWS keeps the name of a canceled profile for two years. */
export const profileExists = (name: string) => validation(`Profile with name ${name} already exists`)
/** The operations on tags have names of their own for the same. */
export const noSuchResource = failed('NotFoundException', 404)
export const badTags = failed('BadRequestException', 400)
export const tooManyJobs = () => failed('ThrottlingException', 429)('Rate exceeded')
