'use strict'
/** The console of a function: every call is one log record, in AWS's text or JSON format. */
const { format } = require('util')

const { FRAME, send } = require('./channel.cjs')
const { errorLine, toError } = require('./errors.cjs')

const LEVELS = { TRACE: 1, DEBUG: 2, INFO: 3, WARN: 4, ERROR: 5, FATAL: 6 }

function errorMembers(_key, value) {
  if (!(value instanceof Error)) return value
  return {
    errorType: value.constructor?.name ?? 'UnknownError',
    errorMessage: value.message,
    stackTrace: typeof value.stack === 'string' ? value.stack.split('\n') : value.stack,
    ...value,
  }
}

function jsonMessage(timestamp, level, current, params) {
  const record = { timestamp, level, requestId: current.requestId }
  if (current.tenantId) record.tenantId = current.tenantId
  if (params.length === 1) {
    record.message = params[0]
    try {
      return JSON.stringify(record, errorMembers)
    } catch {
      record.message = format(params[0])
      return JSON.stringify(record)
    }
  }
  record.message = format(...params)
  const error = params.find((param) => param instanceof Error)
  if (error) {
    record.errorType = error.constructor?.name ?? 'UnknownError'
    record.errorMessage = error.message
    record.stackTrace = typeof error.stack === 'string' ? error.stack.split('\n') : []
  }
  return JSON.stringify(record)
}

const sendRecord = (timestamp, level, message) =>
  send(FRAME.log, `{"timestamp":${timestamp},"level":"${level}"}`, message)

/**
 * Replaces the console's methods. `current` holds the request id and tenant of the moment; `emit` takes each record.
 * Returns `logError(label, error)`, the way the runtime itself reports errors.
 */
function patchConsole(current, emit = sendRecord) {
  const json = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON'
  const threshold = LEVELS[process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()] ?? LEVELS.TRACE
  const write = (level, params) => {
    const now = new Date()
    const timestamp = now.toISOString()
    const message = json
      ? jsonMessage(timestamp, level, current, params)
      : `${timestamp}\t${current.requestId}\t${level}\t${format(...params)}`
    emit(now.getTime(), level, message)
  }
  const method = (level) =>
    LEVELS[level] < threshold ? () => {} : (message, ...params) => write(level, [message, ...params])
  console.trace = method('TRACE')
  console.debug = method('DEBUG')
  console.info = method('INFO')
  console.warn = method('WARN')
  console.error = method('ERROR')
  console.fatal = method('FATAL')
  console.log = console.info
  return json
    ? (_label, error) => console.error(toError(error))
    : (label, error) => console.error(label, errorLine(toError(error)))
}

module.exports = { patchConsole }
