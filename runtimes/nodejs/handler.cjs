'use strict'
/** Finds the function that a handler string names: `folder/file.export` or `folder/file.object.method`. */
const fs = require('fs')
const { createRequire } = require('module')
const path = require('path')
const { pathToFileURL } = require('url')

const { runtimeError, syntaxError } = require('./errors.cjs')

// Named like AWS's runtime, because Node prints it in the require stack of an error.
const requireFrom = createRequire(path.join(__dirname, 'index.mjs'))

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming')
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark')

/** `{ folder, file, member }`; throws when the string is not a handler. */
function parseHandler(text) {
  if (text.includes('..')) {
    throw runtimeError(
      'MalformedHandlerName',
      `'${text}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    )
  }
  const last = path.basename(text)
  const match = /^([^.]*)\.(.*)$/.exec(last)
  if (!match) throw runtimeError('MalformedHandlerName', 'Bad handler')
  return { folder: text.slice(0, text.indexOf(last)), file: match[1], member: match[2] }
}

/** True when the package.json nearest to `folder` says that its .js files are ES modules. */
function isModulePackage(folder) {
  for (let at = folder; !at.endsWith('/node_modules'); at = path.dirname(at)) {
    const file = path.join(at, 'package.json')
    if (fs.existsSync(file)) {
      try {
        return JSON.parse(fs.readFileSync(file, 'utf8'))?.type === 'module'
      } catch (error) {
        console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error)
        return false
      }
    }
    if (at === path.dirname(at)) return false
  }
  return false
}

const requireIfThere = (file) => (fs.existsSync(file) ? requireFrom(file) : undefined)
const importIfThere = async (file) => (fs.existsSync(file) ? import(pathToFileURL(file).href) : undefined)

/** Node.js 22 and older: CommonJS wherever the file allows it. */
async function loadClassic(root, folder, file) {
  const base = path.resolve(root, folder, file)
  const asModule = isModulePackage(path.dirname(base))
  return (
    requireIfThere(base) ||
    (!asModule && requireIfThere(`${base}.js`)) ||
    (asModule && (await importIfThere(`${base}.js`))) ||
    (await importIfThere(`${base}.mjs`)) ||
    requireIfThere(`${base}.cjs`) ||
    requireFrom(requireFrom.resolve(file, { paths: [root, folder] }))
  )
}

/** Node.js 24 and newer: everything is imported. */
async function loadModern(root, folder, file) {
  const base = path.resolve(root, folder, file)
  for (const extension of ['', '.js', '.mjs', '.cjs']) {
    const loaded = await importIfThere(base + extension)
    if (loaded) return loaded
  }
  return requireFrom(requireFrom.resolve(file, { paths: [root, path.join(root, folder)] }))
}

function memberOf(loaded, member, modern) {
  const find = (from) =>
    member
      .split('.')
      .reduce(
        (value, key) => (value && (!modern || typeof value === 'object') ? value[key] : undefined),
        from,
      )
  return find(loaded) || (modern && loaded?.default ? find(loaded.default) : undefined)
}

function isStreaming(handler) {
  const mark = handler[STREAMING]
  if (mark === undefined || mark === null || mark === false) return false
  if (mark === 'response') return true
  throw runtimeError('MalformedStreamingHandler', 'Only response streaming is supported.')
}

/** The handler and how to call it: `{ handler, streaming, highWaterMark, isAsync }`. Rejects with AWS's errors. */
async function loadHandler(root, text, modern) {
  const { folder, file, member } = parseHandler(text)
  let loaded
  try {
    loaded = await (modern ? loadModern : loadClassic)(root, folder, file)
  } catch (error) {
    if (error instanceof SyntaxError) throw syntaxError(error)
    if (error?.code === 'MODULE_NOT_FOUND') throw runtimeError('ImportModuleError', String(error))
    throw error
  }
  const handler = memberOf(loaded, member, modern)
  if (!handler) throw runtimeError('HandlerNotFound', `${text} is undefined or not exported`)
  if (typeof handler !== 'function') throw runtimeError('HandlerNotFound', `${text} is not a function`)
  const highWaterMark = parseInt(handler[HIGH_WATER_MARK], 10)
  return {
    handler,
    streaming: isStreaming(handler),
    highWaterMark: Number.isNaN(highWaterMark) ? undefined : highWaterMark,
    isAsync: handler.constructor?.name === 'AsyncFunction',
  }
}

module.exports = { loadHandler, STREAMING, HIGH_WATER_MARK }
