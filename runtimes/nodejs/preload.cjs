'use strict'
/**
 * Loads what larger functions need while nobody waits: a runtime that has booted has nothing to do until it gets its
 * function. One module a turn of the event loop, so that a function that comes meanwhile waits for one at most.
 */
const STEPS = [
  // The loader of ES modules sets itself up at its first use, and fetch with all around it at the first look at it.
  () => import('node:fs'),
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
  () => globalThis.Response,
]

/** Starts; the returned function ends it. */
function preload() {
  const steps = [...STEPS]
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
