'use strict'
/**
 * Node.js 22 and older: callbacks, promises and context.done/succeed/fail. A callback's answer waits until the event loop
 * is empty, unless the function says otherwise; a promise's answer does not.
 */
const { fillContext } = require('./context.cjs')
const { runtimeError } = require('./errors.cjs')

const NEVER_SETTLED =
  'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes'

/**
 * Runs one invocation. `finish` is `{ response(value), error(error) }`, to be called once; `onDrain(run)` sets what
 * happens when the event loop is empty.
 */
function invokeClassic({ handler, isAsync }, invoke, payload, { finish, onDrain }) {
  let ended = false
  let waits = true

  const answer = (value) => {
    if (ended) {
      console.error(
        'Invocation has already been reported as done. Cannot call complete more than once per invocation.',
      )
      return
    }
    // Not ended yet if this throws: the value may not be JSON.
    finish.response(value)
    ended = true
  }
  const report = (error) => {
    if (ended) return
    ended = true
    finish.error(error)
  }
  const done = (error, value) => {
    onDrain(undefined)
    if (error !== undefined && error !== null) report(error)
    else answer(value)
  }

  let called = false
  /** Only the first call of any of the four counts, unless it failed. */
  const once =
    (run) =>
    (...args) => {
      if (called) return
      run(...args)
      called = true
    }
  const callback = once((error, value) => {
    onDrain(undefined)
    if (error !== undefined && error !== null) report(error)
    else if (waits) onDrain(() => setImmediate(answer, value))
    else answer(value)
  })
  const context = {
    get callbackWaitsForEmptyEventLoop() {
      return waits
    },
    set callbackWaitsForEmptyEventLoop(value) {
      waits = value
    },
    succeed: once((value) => done(null, value)),
    fail: once((error) => done(error ?? 'handled', null)),
    done: once(done),
  }

  onDrain(() => {
    // Nothing can answer any more: a promise never will, and a callback that was forgotten means null.
    called = true
    if (isAsync) report(runtimeError('NodeJsExit', NEVER_SETTLED))
    else answer(null)
  })
  try {
    const result = handler(
      JSON.parse(payload.toString('utf8')),
      fillContext(context, invoke, false),
      callback,
    )
    if (result && typeof result.then === 'function') {
      result.then(context.succeed, context.fail).catch(context.fail)
    }
  } catch (error) {
    callback(error)
  }
}

module.exports = { invokeClassic }
