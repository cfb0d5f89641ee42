'use strict'
/** Errors that the runtime itself raises, and the documents that become of any error. The texts are AWS's. */
const { types } = require('util')

/** Node.js 24 and newer have another runtime, with small differences in what it shows of an error. */
const style = { modern: false }

/** Class names of the newer runtime that are not the error's own name. JSON logs show the class. */
const MODERN_CLASSES = {
  HandlerNotFound: 'HandlerNotFoundError',
  MalformedHandlerName: 'MalformedHandlerNameError',
  CallbackHandlerDeprecated: 'CallbackHandlerDeprecatedError',
}

function runtimeError(name, message) {
  const className = (style.modern && MODERN_CLASSES[name]) || name
  const classes = { [className]: class extends Error {} }
  const error = new classes[className](message)
  Object.defineProperty(error, 'name', {
    value: `Runtime.${name}`,
    configurable: true,
    writable: true,
    // Whether it is one of the members that the log shows.
    enumerable: style.modern,
  })
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

/** An error in the code itself: in newer runtimes it keeps the stack that names the line. */
function syntaxError(cause) {
  const error = runtimeError('UserCodeSyntaxError', String(cause))
  if (style.modern) error.stack = cause.stack
  return error
}

function looksLikeError(value) {
  if (style.modern) return value instanceof Error
  return (
    types.isNativeError(value) ||
    value instanceof Error ||
    (value &&
      typeof value.name === 'string' &&
      typeof value.message === 'string' &&
      typeof value.stack === 'string')
  )
}

/** The documents travel in headers in AWS, where this character is not allowed. */
const printable = (value) => String(value).replaceAll('\x7f', '%7F')

/** What the caller of the function gets: `{ errorType, errorMessage, trace }`. Never throws. */
function errorDocument(error) {
  try {
    if (looksLikeError(error)) {
      return {
        errorType: printable(error.name),
        errorMessage: printable(error.message),
        trace: printable(error.stack).split('\n'),
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

module.exports = { style, runtimeError, unhandledRejection, syntaxError, errorDocument, toError, errorLine }
