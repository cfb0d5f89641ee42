'use strict'
/** Node.js 24 and newer: a handler returns its answer or a promise of it. Callbacks are gone. */
const { fillContext } = require('./context.cjs')
const { runtimeError } = require('./errors.cjs')

const CALLBACKS_REMOVED =
  'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.'

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

/** Throws when the handler takes a callback. */
function refuseCallback({ handler, streaming }) {
  if (handler.length >= 3 && !streaming) throw runtimeError('CallbackHandlerDeprecated', CALLBACKS_REMOVED)
}

/** Runs one invocation; see invoke-classic.cjs for `finish`. */
async function invokeModern({ handler }, invoke, payload, { finish }) {
  let value
  try {
    const event = JSON.parse(payload.toString('utf8'))
    value = await handler(event, fillContext({}, invoke, true))
    // A rejection that nobody handles ends the process first.
    await nextTurn()
    finish.response(value)
  } catch (error) {
    await nextTurn()
    finish.error(error)
  }
}

module.exports = { invokeModern, refuseCallback }
