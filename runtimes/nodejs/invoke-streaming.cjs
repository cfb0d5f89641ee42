'use strict'
/** Handlers wrapped by `awslambda.streamifyResponse`. */
const { fillContext } = require('./context.cjs')
const { ResponseStream } = require('./response-stream.cjs')

/** What is thrown: Node.js 22 and older report texts, newer ones errors. */
const fault = (text, modern) => (modern ? new Error(text) : text)

/**
 * Runs one invocation; `finish` is `{ ended(send), failed(error, send) }`. See invoke-classic.cjs for `onDrain`; `sink`
 * takes the stream in place of the host's frames.
 */
async function invokeStreaming({ handler, highWaterMark }, invoke, payload, options) {
  const { finish, onDrain, modern, sink } = options
  const stream = new ResponseStream(highWaterMark, sink)
  const finished = new Promise((resolve, reject) => {
    stream.on('finish', resolve)
    stream.on('error', reject)
    // Only a stream that the function destroyed closes without having finished.
    stream.on('close', () => reject(fault('Response stream is not finished.', modern)))
    if (!modern) onDrain(() => reject(fault('Response stream is not finished.', modern)))
  })
  finished.catch(() => {})
  try {
    const context = modern ? {} : { callbackWaitsForEmptyEventLoop: true }
    const result = handler(JSON.parse(payload.toString('utf8')), stream, fillContext(context, invoke, modern))
    if (!result || typeof result.then !== 'function') {
      throw fault('Streaming does not support non-async handlers.', modern)
    }
    // Whichever fails first; a drained event loop is noticed while the handler is still pending, too.
    const value = await Promise.race([result, finished.then(() => result)])
    if (value !== undefined) console.warn('Streaming handlers ignore return values.')
    await finished
    finish.ended(() => stream.finishResponse())
  } catch (error) {
    finish.failed(error, () => stream.failResponse(error))
  }
}

module.exports = { invokeStreaming }
