/** EventBridge's errors: texts recorded from AWS unless a comment says otherwise. Every status is 400. */
import { LambdaError } from '#contracts/errors.ts'

const failed = (code: string) => (message: string) =>
  new LambdaError(code, message, { status: 400, withoutType: true })

export const validation = failed('ValidationException')
export const notFound = failed('ResourceNotFoundException')
export const alreadyExists = failed('ResourceAlreadyExistsException')
export const limitExceeded = failed('LimitExceededException')
export const illegalStatus = failed('IllegalStatusException')

export const noSuchBus = (name: string) => notFound(`Event bus ${name} does not exist.`)
export const busExists = (name: string) => alreadyExists(`Event bus ${name} already exists.`)
export const noSuchRule = (name: string, bus: string) =>
  notFound(`Rule ${name} does not exist on EventBus ${bus}.`)
export const noSuchArchive = (name: string) => notFound(`Archive ${name} does not exist.`)
export const archiveExists = (name: string) => alreadyExists(`Archive ${name} already exists.`)
/** As clients report it. */
export const noSuchReplay = (name: string) => notFound(`Replay ${name} does not exist.`)
export const replayExists = (name: string) => alreadyExists(`Replay ${name} already exists.`)
export const noSuchStatement = () => notFound('Statement with the provided id does not exist.')
/** Text unverified. */
export const tooContended = () => failed('ConcurrentModificationException')('Concurrent modification.')
export const invalidPattern = (reason: string) =>
  failed('InvalidEventPatternException')(`Event pattern is not valid. Reason: ${reason}`)
/** Text recorded for an archive that could not be changed. */
export const internal = (cause?: unknown) =>
  new LambdaError('InternalException', 'Service encountered unexpected problem. Please try again.', {
    status: 500,
    withoutType: true,
    cause,
  })
