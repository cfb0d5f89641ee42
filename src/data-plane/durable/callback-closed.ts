import { LambdaError } from '#contracts/errors.ts'

/** Nobody waits for this callback any more (text as clients of AWS report it). */
export class CallbackClosed extends LambdaError {
  constructor() {
    super('CallbackTimeoutException', 'The callback is either timed out or already completed', {
      status: 400,
    })
  }
}
