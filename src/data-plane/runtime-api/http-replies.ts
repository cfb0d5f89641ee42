/** Replies of the Runtime API, byte for byte as AWS's emulator gives them. */
import type { Reply } from '#data-plane/runtime-api/http-connection.ts'
import type { RuntimeState } from '#data-plane/runtime-api/runtime-state.ts'

export function json(status: number, value: object): Reply {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value)}\n` }
}

export function problem(status: number, errorType: string, errorMessage: string): Reply {
  return json(status, { errorMessage, errorType })
}

export const ACCEPTED = json(202, { status: 'OK' })
export const PONG: Reply = { status: 200, contentType: 'text/plain; charset=utf-8', body: 'pong' }
export const INVALID_REQUEST_ID = problem(400, 'InvalidRequestID', 'Invalid request ID')
export const INVALID_RESPONSE_MODE = problem(
  400,
  'InvalidFunctionResponseMode',
  'Invalid function response mode',
)
export const NOT_FOUND: Reply = {
  status: 404,
  contentType: 'text/plain; charset=utf-8',
  headerLines: 'X-Content-Type-Options: nosniff\r\n',
  body: '404 page not found\n',
}
export const METHOD_NOT_ALLOWED: Reply = { status: 405, body: '' }

export function invalidStateTransition(from: RuntimeState, to: RuntimeState): Reply {
  return problem(
    403,
    'InvalidStateTransition',
    `State transition from ${from} to ${to} failed for runtime. Error: State transition is not allowed`,
  )
}

export function requestEntityTooLarge(maxBytes: number): Reply {
  return problem(413, 'RequestEntityTooLarge', `Exceeded maximum allowed payload size (${maxBytes} bytes).`)
}
