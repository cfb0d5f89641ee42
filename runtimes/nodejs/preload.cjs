'use strict'
/**
 * Does ahead what can be, while nobody waits: a runtime that has booted has nothing to do until it gets its function. One
 * step a turn of the event loop, so that a function that comes meanwhile waits for one at most.
 */
const { invokeClassic } = require('./invoke-classic.cjs')
const { invokeModern } = require('./invoke-modern.cjs')
const { loadHandler } = require('./handler.cjs')
const { isModern, toJson } = require('./version-rules.cjs')

const nobody = { response: (value) => toJson(value, true), error() {} }
const NOTHING = { requestId: '', deadlineMs: 0, invokedFunctionArn: '' }

/** What every function goes through, once: code that has not run yet is slow, and loaders set themselves up. */
const WARM_STEPS = [
  async () => {
    const modern = isModern()
    const loaded = await loadHandler(__dirname, 'warm.handler', modern)
    const payload = Buffer.from('{"warm":true}')
    if (modern) await invokeModern(loaded, NOTHING, payload, { finish: nobody })
    else invokeClassic(loaded, NOTHING, payload, { finish: nobody, onDrain() {} })
  },
]

/** What larger functions need of the standard library. */
const RICH_STEPS = [
  ...[
    'https',
    'http2',
    'zlib',
    'crypto',
    'child_process',
    'stream/promises',
    'stream/web',
    'fs/promises',
    'dns/promises',
    'async_hooks',
    'readline',
    'os',
    'url',
  ].map((name) => () => require(name)),
  // fetch and all around it load at the first look at them.
  () => globalThis.Response,
]

/** Starts; the returned function ends it. */
function preload(isRich) {
  const steps = isRich ? [...WARM_STEPS, ...RICH_STEPS] : [...WARM_STEPS]
  const next = async () => {
    const step = steps.shift()
    if (!step) return
    try {
      await step()
    } catch {
      // An older Node has no such module.
    }
    setImmediate(next)
  }
  setImmediate(next)
  return () => {
    steps.length = 0
  }
}

module.exports = { preload }
