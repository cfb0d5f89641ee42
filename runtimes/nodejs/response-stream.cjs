'use strict'
/** The stream that a `streamifyResponse` handler writes to, and the helper for HTTP responses. */
const { Writable } = require('stream')

const { FRAME, send, sendChunk } = require('./channel.cjs')
const { errorDocument, runtimeError } = require('./errors.cjs')
const { HIGH_WATER_MARK, STREAMING } = require('./handler.cjs')

const HTTP_RESPONSE_TYPE = 'application/vnd.awslambda.http-integration-response'
const PRELUDE_END = Buffer.alloc(8)

/** Where the stream goes: frames to the host. Another one may take its place. */
const frames = {
  start: (contentType) => send(FRAME.streamStart, JSON.stringify({ contentType }), ''),
  /** At once, whatever the host has read. */
  piece: (chunk) => send(FRAME.streamChunk, '', chunk),
  /** Calls `done` when there is room for more, or when `isOver()`. */
  chunk: sendChunk,
  end: () => send(FRAME.streamEnd, '', ''),
  fail(document, started) {
    const header = JSON.stringify({ errorType: document.errorType })
    send(started ? FRAME.streamEnd : FRAME.error, header, JSON.stringify(document))
  },
}

class ResponseStream extends Writable {
  #contentType = 'application/octet-stream'
  #started = false
  /** The invocation is over: what comes now belongs to nobody. */
  #over = false
  #sink
  /** Set by HttpResponseStream: called with a write function before the first chunk. */
  _onBeforeFirstWrite = undefined

  constructor(highWaterMark, sink = frames) {
    super({ highWaterMark, decodeStrings: true })
    this.#sink = sink
  }

  setContentType(contentType) {
    if (this.#started) throw runtimeError('InvalidStreamingOperation', 'Cannot set content-type, too late.')
    this.#contentType = contentType
  }

  write(chunk, ...rest) {
    const plain = typeof chunk === 'string' || chunk instanceof Uint8Array
    return super.write(plain ? chunk : JSON.stringify(chunk), ...rest)
  }

  #start() {
    if (this.#started || this.#over) return
    this.#started = true
    this.#sink.start(this.#contentType)
    this._onBeforeFirstWrite?.((chunk) => this.#sink.piece(chunk))
  }

  _write(chunk, _encoding, done) {
    this.#start()
    this.#sink.chunk(chunk, () => this.#over, done)
  }

  _final(done) {
    this.#start()
    done()
  }

  /** Completes the response. */
  finishResponse() {
    this.#start()
    this.#over = true
    this.#sink.end()
  }

  /** Turns the response into an error, unless the function had ended it before: then the error comes too late. */
  failResponse(error) {
    if (this.writableEnded) {
      this.finishResponse()
      return
    }
    this.#over = true
    this.#sink.fail(errorDocument(error), this.#started)
  }
}

/** Makes the global `awslambda`. */
function defineGlobals() {
  const off = process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA
  if (off === '1' || off === 'true') return
  globalThis.awslambda = {
    ...globalThis.awslambda,
    streamifyResponse(handler, options) {
      handler[STREAMING] = 'response'
      if (typeof options?.highWaterMark === 'number') {
        handler[HIGH_WATER_MARK] = parseInt(options.highWaterMark, 10)
      }
      return handler
    },
    HttpResponseStream: {
      /** Puts status, headers and cookies of an HTTP response in front of the body. */
      from(stream, prelude) {
        stream.setContentType(HTTP_RESPONSE_TYPE)
        const metadata = JSON.stringify(prelude)
        stream._onBeforeFirstWrite = (write) => {
          write(metadata)
          write(PRELUDE_END)
        }
        return stream
      },
    },
  }
}

module.exports = { ResponseStream, defineGlobals }
