'use strict'
/** A client of the HTTP Runtime API: asks for invocations and answers them, several at once. */
const { Agent, request } = require('http')

const BASE = '/2018-06-01/runtime'
const STREAMING = 'Lambda-Runtime-Function-Response-Mode'
const ERROR_TYPE = 'Lambda-Runtime-Function-Error-Type'
const ERROR_BODY = 'Lambda-Runtime-Function-Error-Body'

/** What the headers of an invocation say, by the names of the host's messages. */
const invokeOf = (headers) => ({
  requestId: headers['lambda-runtime-aws-request-id'],
  deadlineMs: Number(headers['lambda-runtime-deadline-ms']),
  invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
  traceId: headers['lambda-runtime-trace-id'],
  clientContext: headers['lambda-runtime-client-context'],
  cognitoIdentity: headers['lambda-runtime-cognito-identity'],
  tenantId: headers['lambda-runtime-aws-tenant-id'],
})

/** `address` is `host:port`. */
function createRuntimeApi(address) {
  const at = address.lastIndexOf(':')
  const host = address.slice(0, at)
  const port = Number(address.slice(at + 1))
  const agent = new Agent({ keepAlive: true })

  /** A request whose answer is given to `done(error, response, body)`. */
  const open = (method, path, headers, done) => {
    const call = request({ host, port, method, path: `${BASE}${path}`, headers, agent }, (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => done(undefined, response, Buffer.concat(chunks)))
      response.on('error', done)
    })
    call.on('error', done)
    return call
  }
  const post = (path, headers, text) =>
    new Promise((resolve, reject) => {
      const body = Buffer.from(text)
      const all = { 'Content-Type': 'application/json', 'Content-Length': body.length, ...headers }
      open('POST', path, all, (error) => (error ? reject(error) : resolve())).end(body)
    })
  const postDocument = (path, document) =>
    post(path, { [ERROR_TYPE]: document.errorType }, JSON.stringify(document))

  return {
    /** Waits for an invocation. */
    next: () =>
      new Promise((resolve, reject) => {
        const done = (error, response, payload) => {
          if (error) reject(error)
          else if (response.statusCode !== 200) reject(new Error(`The host answers ${response.statusCode}`))
          else resolve({ invoke: invokeOf(response.headers), payload })
        }
        open('GET', '/invocation/next', {}, done).end()
      }),
    postResponse: (id, text) => post(`/invocation/${id}/response`, {}, text),
    postError: (id, document) => postDocument(`/invocation/${id}/error`, document),
    postInitError: (document) => postDocument('/init/error', document),
    /** A sink of response-stream.cjs. `sent` resolves when the host has taken everything. */
    streamTo(id) {
      let call
      let finished
      const sent = new Promise((resolve) => {
        finished = resolve
      })
      return {
        sent,
        start(contentType) {
          const headers = {
            'Content-Type': contentType,
            [STREAMING]: 'streaming',
            'Transfer-Encoding': 'chunked',
            Trailer: `${ERROR_TYPE}, ${ERROR_BODY}`,
          }
          call = open('POST', `/invocation/${id}/response`, headers, finished)
        },
        piece: (chunk) => void call.write(chunk),
        chunk(chunk, isOver, done) {
          if (isOver()) done()
          else call.write(chunk, () => done())
        },
        end: () => void call.end(),
        fail(document, started) {
          if (!started) {
            postDocument(`/invocation/${id}/error`, document).then(finished, finished)
            return
          }
          const body = Buffer.from(JSON.stringify(document)).toString('base64')
          call.addTrailers({ [ERROR_TYPE]: document.errorType, [ERROR_BODY]: body })
          call.end()
        },
      }
    },
  }
}

module.exports = { createRuntimeApi }
