'use strict'
/** What differs between AWS's runtimes of older and newer versions of Node.js. */
const { runtimeError } = require('./errors.cjs')

/** From this version on AWS's runtime is another one: no callbacks, everything imported. */
const FIRST_MODERN_VERSION = 24

function isModern() {
  const named = /^AWS_Lambda_nodejs(\d+)\.x$/.exec(process.env.AWS_EXECUTION_ENV ?? '')
  return Number(named ? named[1] : process.versions.node.split('.')[0]) >= FIRST_MODERN_VERSION
}

/** The answer of a handler as JSON; throws AWS's error for what is none. */
function toJson(value, modern) {
  try {
    return JSON.stringify(value === undefined ? null : value) ?? 'null'
  } catch {
    const text = 'Unable to stringify response body'
    throw modern ? runtimeError('JSONStringifyError', text) : new Error(text)
  }
}

module.exports = { isModern, toJson }
