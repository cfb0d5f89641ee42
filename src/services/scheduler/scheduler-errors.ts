/** EventBridge Scheduler's errors. Texts as clients report them unless a comment says otherwise. */
import { LambdaError } from '#contracts/errors.ts'

const failed = (code: string, status: number) => (message: string) =>
  new LambdaError(code, message, { status, withoutType: true })

export const validation = failed('ValidationException', 400)
const notFound = failed('ResourceNotFoundException', 404)
const conflict = failed('ConflictException', 409)
/** Text unverified. */
export const overQuota = (what: string) =>
  failed('ServiceQuotaExceededException', 402)(`The quota for ${what} has been exceeded.`)
/** Recorded from AWS. */
export const badExpression = (expression: string) => validation(`Invalid Schedule Expression ${expression}.`)
export const noSuchSchedule = (name: string) => notFound(`Schedule ${name} does not exist.`)
export const scheduleExists = (name: string) => conflict(`Schedule ${name} already exists.`)
export const noSuchGroup = (name: string) => notFound(`Schedule group ${name} does not exist.`)
export const groupExists = (name: string) => conflict(`Schedule group ${name} already exists.`)
/** Text unverified. */
export const tooContended = () => conflict('The resource is being changed, try again.')
