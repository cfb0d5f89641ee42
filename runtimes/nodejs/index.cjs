'use strict'
/**
 * Runtime client for Node.js functions: boots without a function, is told its function by INIT, then runs one invocation
 * at a time. Protocol: docs/runtimes.md. Behaviour and texts: AWS's runtimes of the same version.
 */
const fs = require('fs')
const Module = require('module')

const { FRAME, listen, send } = require('./channel.cjs')
const { patchConsole } = require('./console.cjs')
const { errorDocument, style, unhandledRejection } = require('./errors.cjs')
const { loadHandler } = require('./handler.cjs')
const { invokeClassic } = require('./invoke-classic.cjs')
const { invokeModern, refuseCallback } = require('./invoke-modern.cjs')
const { invokeStreaming } = require('./invoke-streaming.cjs')
const { preload } = require('./preload.cjs')
const { isModern, toJson } = require('./version-rules.cjs')
const { defineGlobals } = require('./response-stream.cjs')

/** Exit codes of AWS's runtime. */
const EXIT_UNHANDLED_REJECTION = 128
const EXIT_UNCAUGHT_EXCEPTION = 129

/** What the log lines carry. */
const current = { requestId: undefined, tenantId: undefined }
/** `booted`, `initialising`, `idle` or `busy`. */
let state = 'booted'
let modern = false
let loaded
let logError = () => {}
/** Compiled code that the host was to keep. */
let written
let stopPreload = () => {}
/** Runs when the event loop is empty while an invocation is under way. */
let drained

function sendError(type, error, final) {
  const document = errorDocument(error)
  send(type, JSON.stringify({ errorType: document.errorType, final }), JSON.stringify(document))
}

/** Reports an error that nobody caught to whoever waits, and ends the process. */
function die(label, error, code) {
  logError(label, error)
  if (state === 'initialising') sendError(FRAME.initError, error)
  else if (state === 'busy') sendError(FRAME.error, error, true)
  process.exit(code)
}

function startFunction(init) {
  for (const [name, value] of Object.entries(init.env)) process.env[name] = value
  modern = isModern()
  style.modern = modern
  current.requestId = modern ? '-' : undefined
  process.chdir(init.taskRoot)
  if (init.compileCacheDir) Module.enableCompileCache?.(init.compileCacheDir)
  // NODE_PATH was read at boot, when it was not known yet.
  Module._initPaths()
  logError = patchConsole(current)
  defineGlobals()
  process.on('uncaughtException', (error) => die('Uncaught Exception', error, EXIT_UNCAUGHT_EXCEPTION))
  process.on('unhandledRejection', (reason, promise) => {
    die('Unhandled Promise Rejection', unhandledRejection(reason, promise), EXIT_UNHANDLED_REJECTION)
  })
  process.on('beforeExit', () => {
    const run = drained
    drained = undefined
    run?.()
  })
  return loadHandler(init.taskRoot, init.handler || process.env._HANDLER, modern)
}

async function initialise(init) {
  state = 'initialising'
  stopPreload()
  try {
    loaded = await startFunction(init)
    if (modern) refuseCallback(loaded)
    if (init.keepsCompiled && init.compileCacheDir) {
      Module.flushCompileCache?.()
      written = init.compileCacheDir
    }
    // A rejection that the module left unhandled fails the initialisation, not the first invocation.
    await new Promise((resolve) => setImmediate(resolve))
  } catch (error) {
    die(modern ? 'Init Error' : 'Uncaught Exception', error, modern ? 1 : EXIT_UNCAUGHT_EXCEPTION)
  }
  state = 'idle'
  send(FRAME.initDone, '', '')
}

function becomeIdle() {
  drained = undefined
  state = 'idle'
  host.ref()
}

const finish = {
  response(value) {
    const text = toJson(value, modern)
    becomeIdle()
    send(FRAME.response, '', text)
  },
  error(error) {
    logError('Invoke Error', error)
    becomeIdle()
    sendError(FRAME.error, error)
  },
  ended(sendEnd) {
    becomeIdle()
    sendEnd()
  },
  failed(error, sendEnd) {
    logError('Invoke Error', error)
    becomeIdle()
    sendEnd()
  },
}

const onDrain = (run) => {
  drained = run
}

/** The host has its copy, and /tmp belongs to the function. */
function removeWritten() {
  if (written === undefined) return
  fs.rmSync(written, { recursive: true, force: true })
  written = undefined
}

function invoke(header, payload) {
  removeWritten()
  state = 'busy'
  current.requestId = header.requestId
  current.tenantId = header.tenantId
  if (header.traceId === undefined) delete process.env._X_AMZN_TRACE_ID
  else process.env._X_AMZN_TRACE_ID = header.traceId
  // While the function runs, waiting for the host must not keep the event loop from running empty.
  host.unref()
  if (loaded.streaming) invokeStreaming(loaded, header, payload, { finish, onDrain, modern })
  else if (modern) invokeModern(loaded, header, payload, { finish })
  else invokeClassic(loaded, header, payload, { finish, onDrain })
}

const host = listen((type, header, payload) => {
  if (type === FRAME.invoke) invoke(JSON.parse(header), payload)
  else if (type === FRAME.init) initialise(JSON.parse(payload.toString('utf8')))
})

send(
  FRAME.ready,
  JSON.stringify({ protocol: 1, runtime: `nodejs${process.versions.node.split('.')[0]}.x` }),
  '',
)

// Only the host of a runtime that waits for its function asks for it.
if (process.env._LAMBENT_PRELOAD) stopPreload = preload(process.env._LAMBENT_PRELOAD === 'rich')
delete process.env._LAMBENT_PRELOAD
