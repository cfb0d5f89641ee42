/** One connection of a guest to the Runtime API: requests in, replies out, in order. */
import type { Socket } from 'node:net'

import type { RequestHead } from '#data-plane/runtime-api/http-head.ts'
import { BadRequest } from '#data-plane/runtime-api/http-head.ts'
import { createRequestParser } from '#data-plane/runtime-api/http-parser.ts'
import { createStreamBuffer } from '#data-plane/runtime-api/stream-buffer.ts'

export interface Reply {
  readonly status: number
  /** Lines that are sent as they are, each with its CRLF. */
  readonly headerLines?: string
  readonly contentType?: string
  readonly body: string | Uint8Array
}

/** What becomes of one request, decided when its head is known. */
export interface RequestHandler {
  /** Called once when the body is complete; `bytes` is undefined when it was longer than allowed. */
  finish(request: {
    readonly bytes: Buffer | undefined
    readonly sizeBytes: number
    readonly trailers: ReadonlyMap<string, string>
    /** Sends the reply, now or later. False when the client is gone. */
    respond(reply: Reply): boolean
  }): void
  /** The connection ended before the body was complete, or before the reply was sent. */
  gone?(): void
}

/** What a client may have sent ahead before we stop reading from it. */
const MAX_HELD_BYTES = 65_536

const STATUS_TEXT: Readonly<Record<number, string>> = {
  200: 'OK',
  202: 'Accepted',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Request Entity Too Large',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
}

function encodeReply(reply: Reply, close: boolean): Buffer {
  const { status, body } = reply
  const bodyBytes = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
  const head =
    `HTTP/1.1 ${status} ${STATUS_TEXT[status] ?? 'Unknown'}\r\n` +
    (reply.contentType === undefined ? '' : `Content-Type: ${reply.contentType}\r\n`) +
    (reply.headerLines ?? '') +
    (close ? 'Connection: close\r\n' : '') +
    `Content-Length: ${bodyBytes}\r\n\r\n`
  const headBytes = Buffer.byteLength(head)
  const bytes = Buffer.allocUnsafe(headBytes + bodyBytes)
  bytes.write(head, 0)
  if (typeof body === 'string') bytes.write(body, headBytes)
  else bytes.set(body, headBytes)
  return bytes
}

/** Serves `socket` until it ends. `maxBodyBytes` of a body are kept. */
export function serveConnection(options: {
  readonly socket: Socket
  readonly maxBodyBytes: number
  readonly open: (head: RequestHead) => RequestHandler
}): void {
  const { socket, maxBodyBytes, open } = options
  const body = createStreamBuffer(maxBodyBytes)
  let handler: RequestHandler | undefined
  let keepAlive = true
  /** Inside `push` or `release`, which may send several replies: they leave together. */
  let reading = false
  let releasing = false

  const fail = (error: unknown) => {
    if (!(error instanceof BadRequest)) throw error
    const text = `${error.status} ${STATUS_TEXT[error.status]}: ${error.message}`
    socket.end(
      encodeReply({ status: error.status, contentType: 'text/plain; charset=utf-8', body: text }, true),
    )
    gone()
  }
  const gone = () => {
    const left = handler
    handler = undefined
    left?.gone?.()
  }

  const respond = (of: RequestHandler, reply: Reply): boolean => {
    if (handler !== of || socket.destroyed) return false
    handler = undefined
    const bytes = encodeReply(reply, !keepAlive)
    if (!keepAlive) {
      socket.end(bytes)
      return true
    }
    socket.write(bytes)
    if (reading) releasing = true
    else proceed(() => parser.release())
    return true
  }

  /** Parses, and goes on parsing as long as replies are given at once. */
  const proceed = (parse: () => void) => {
    reading = true
    socket.cork()
    try {
      parse()
      while (releasing) {
        releasing = false
        parser.release()
      }
    } catch (error) {
      fail(error)
    } finally {
      reading = false
      socket.uncork()
    }
    if (parser.heldBytes > MAX_HELD_BYTES) socket.pause()
    else if (socket.isPaused()) socket.resume()
  }

  const parser = createRequestParser({
    onHead(head) {
      ;({ keepAlive } = head)
      handler = open(head)
      if (head.expectsContinue) socket.write('HTTP/1.1 100 Continue\r\n\r\n')
    },
    onBody(bytes) {
      body.push(bytes, bytes.length)
    },
    onEnd(trailers) {
      const { bytes, sizeBytes } = body.take()
      const current = handler
      current?.finish({ bytes, sizeBytes, trailers, respond: (reply) => respond(current, reply) })
    },
  })

  socket.setNoDelay(true)
  socket.on('data', (chunk: Buffer) => {
    if (!socket.writableEnded) proceed(() => parser.push(chunk))
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', gone)
}
