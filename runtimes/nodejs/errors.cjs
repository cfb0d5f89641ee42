'use strict'
/** Errors that the runtime itself raises, and the documents that become of any error. The texts are AWS's. */
const { types } = require('util')

function runtimeError(name, message) {
  const error = new Error(message)
  // Not enumerable, as a name on the prototype: it must not turn up among the error's own members in the log.
  Object.defineProperty(error, 'name', { value: `Runtime.${name}`, configurable: true, writable: true })
  // The stack begins with the name that the error had when it was made.
  Object.defineProperty(error, 'stack', {
    value: error.stack.replace(/^Error/, error.name),
    configurable: true,
    writable: true,
  })
  return error
}

/** A promise that was rejected while nobody listened. */
function unhandledRejection(reason, promise) {
  const error = runtimeError('UnhandledPromiseRejection', reason === undefined ? undefined : String(reason))
  error.reason = reason
  error.promise = promise
  return error
}

/** An error in the code itself: it keeps the stack that names the line. */
function syntaxError(cause) {
  const error = runtimeError('UserCodeSyntaxError', String(cause))
  error.stack = cause.stack
  return error
}

function looksLikeError(value) {
  return (
    types.isNativeError(value) ||
    value instanceof Error ||
    (value &&
      typeof value.name === 'string' &&
      typeof value.message === 'string' &&
      typeof value.stack === 'string')
  )
}

/** What the caller of the function gets: `{ errorType, errorMessage, trace }`. Never throws. */
function errorDocument(error) {
  try {
    if (looksLikeError(error)) {
      return {
        errorType: String(error.name),
        errorMessage: String(error.message),
        trace: String(error.stack).split('\n'),
      }
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] }
  } catch {
    return {
      errorType: 'handled',
      errorMessage:
        'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack',
      trace: [],
    }
  }
}

const toError = (value) => (value instanceof Error ? value : new Error(String(value)))

/** Name, message, code and stack do not show up in JSON by themselves. */
function withHiddenMembers(_key, value) {
  if (!(value instanceof Error)) return value
  const shown = { errorType: value.name, errorMessage: value.message, code: value.code, ...value }
  if (typeof value.stack === 'string') shown.stack = value.stack.split('\n')
  return shown
}

/** An error as one line of the text log: a tab, then JSON. */
function errorLine(error) {
  try {
    return `\t${JSON.stringify(error, withHiddenMembers)}`
  } catch {
    return `\t${JSON.stringify(errorDocument(error))}`
  }
}

module.exports = { runtimeError, unhandledRejection, syntaxError, errorDocument, toError, errorLine }
