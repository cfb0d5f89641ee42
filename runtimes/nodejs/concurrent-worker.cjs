'use strict'
/** One worker of concurrent.cjs: loads the function, asks for invocations, runs each as it comes. */
const { AsyncLocalStorage } = require('async_hooks')
const { writeSync } = require('fs')
const { parentPort } = require('worker_threads')
// Taken now: a function may replace the global ones.
const { setImmediate, setTimeout } = require('timers')

const { patchConsole } = require('./console.cjs')
const { fillContext } = require('./context.cjs')
const { errorDocument, style, unhandledRejection } = require('./errors.cjs')
const { loadHandler } = require('./handler.cjs')
const { refuseCallback } = require('./invoke-modern.cjs')
const { invokeStreaming } = require('./invoke-streaming.cjs')
const { invokeStore, storeOf } = require('./invoke-store.cjs')
const { defineGlobals } = require('./response-stream.cjs')
const { createRuntimeApi } = require('./runtime-api.cjs')
const { isModern, toJson } = require('./version-rules.cjs')

/** Exit codes of AWS's runtime. */
const EXIT_UNHANDLED_REJECTION = 128
const EXIT_UNCAUGHT_EXCEPTION = 129
/** How long a dying worker waits for its reports to be taken. */
const LAST_WORDS_MS = 1000

const api = createRuntimeApi(process.env.AWS_LAMBDA_RUNTIME_API)
const modern = isModern()
style.modern = modern
const storage = new AsyncLocalStorage()
const current = {
  get requestId() {
    return storage.getStore()?.requestId ?? (modern ? '-' : undefined)
  },
  get tenantId() {
    return storage.getStore()?.tenantId
  },
}
/** Ids of the invocations under way. */
const running = new Set()
let initialised = false
const pause = new Int32Array(new SharedArrayBuffer(4))

/** One record is one line, in one piece as long as the pipe takes it. */
function printLine(_timestamp, _level, message) {
  const bytes = Buffer.from(`${message}\n`)
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if (error.code !== 'EAGAIN') return
      Atomics.wait(pause, 0, 0, 1)
    }
  }
}

const logError = patchConsole(current, printLine)

/** Reports an error that nobody caught to all whose invocations this worker runs, and ends it. */
async function die(label, error, code) {
  logError(label, error)
  const document = errorDocument(error)
  const words = initialised
    ? [...running].map((id) => api.postError(id, document))
    : [api.postInitError(document)]
  running.clear()
  await Promise.race([
    Promise.allSettled(words),
    new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS)),
  ])
  process.exit(code)
}

process.on('uncaughtException', (error) => die('Uncaught Exception', error, EXIT_UNCAUGHT_EXCEPTION))
process.on('unhandledRejection', (reason, promise) =>
  die('Unhandled Promise Rejection', unhandledRejection(reason, promise), EXIT_UNHANDLED_REJECTION),
)

/** Handlers of Node.js 22 may take a callback. */
function callHandler({ handler }, event, context) {
  if (modern || handler.length < 3) return handler(event, context)
  return new Promise((resolve, reject) => {
    const result = handler(event, context, (error, value) => (error ? reject(error) : resolve(value)))
    if (typeof result?.then === 'function') result.then(resolve, reject)
  })
}

async function runBuffered(loaded, invoke, payload) {
  let text
  try {
    const context = fillContext({}, invoke, modern)
    text = toJson(await callHandler(loaded, JSON.parse(payload.toString('utf8')), context), modern)
  } catch (error) {
    logError('Invoke Error', error)
    return api.postError(invoke.requestId, errorDocument(error))
  }
  return api.postResponse(invoke.requestId, text)
}

async function runStreaming(loaded, invoke, payload) {
  const sink = api.streamTo(invoke.requestId)
  const finish = {
    ended: (sendEnd) => sendEnd(),
    failed(error, sendEnd) {
      logError('Invoke Error', error)
      sendEnd()
    },
  }
  await invokeStreaming(loaded, invoke, payload, { finish, onDrain: () => {}, modern, sink })
  return sink.sent
}

async function run(loaded, { invoke, payload }) {
  const { requestId } = invoke
  running.add(requestId)
  try {
    await storage.run({ requestId, tenantId: invoke.tenantId, values: storeOf(invoke) }, () =>
      loaded.streaming ? runStreaming(loaded, invoke, payload) : runBuffered(loaded, invoke, payload),
    )
  } finally {
    running.delete(requestId)
  }
}

/** Asks for the next one when what the last one does at once is done: a worker that is busy gets no more meanwhile. */
function poll(loaded) {
  api.next().then(
    (next) => {
      setImmediate(() => {
        run(loaded, next).catch(() => {})
        setImmediate(poll, loaded)
      })
    },
    // The host is gone: there is nobody left to work for.
    () => process.exit(1),
  )
}

async function start() {
  let loaded
  try {
    defineGlobals()
    invokeStore(storage)
    loaded = await loadHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER ?? '', modern)
    if (modern) refuseCallback(loaded)
    // A rejection that the module left unhandled fails the initialisation, not the first invocation.
    await new Promise((resolve) => setImmediate(resolve))
  } catch (error) {
    await die(modern ? 'Init Error' : 'Uncaught Exception', error, modern ? 1 : EXIT_UNCAUGHT_EXCEPTION)
    return
  }
  initialised = true
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage('ready')
  poll(loaded)
}

start()
