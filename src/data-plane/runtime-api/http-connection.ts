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
  /** How much of the body is kept; what is longer is read and dropped. */
  readonly keepBytes: number
  /** Takes the body piece by piece instead; then nothing is kept. A promise: nothing is read before it resolves. */
  take?(piece: Buffer): Promise<void> | undefined
  /** Called once when the body is complete; `bytes` is undefined when it was longer than `keepBytes`. */
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

/** Requests that one connection gets answered in a row before others have their turn. */
const MAX_REQUESTS_A_TURN = 32

/** Bodies above this are not copied behind the head. */
const COPY_BYTES = 16_384

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

function encodeHead(reply: Reply, bodyBytes: number, close: boolean): string {
  return (
    `HTTP/1.1 ${reply.status} ${STATUS_TEXT[reply.status] ?? 'Unknown'}\r\n` +
    (reply.contentType === undefined ? '' : `Content-Type: ${reply.contentType}\r\n`) +
    (reply.headerLines ?? '') +
    (close ? 'Connection: close\r\n' : '') +
    `Content-Length: ${bodyBytes}\r\n\r\n`
  )
}

/** Returns false when the client does not read what it is sent. */
function writeReply(socket: Socket, reply: Reply, close: boolean): boolean {
  const { body } = reply
  if (typeof body === 'string') return socket.write(encodeHead(reply, Buffer.byteLength(body), close) + body)
  const head = encodeHead(reply, body.byteLength, close)
  if (body.byteLength > COPY_BYTES) {
    socket.write(head)
    return socket.write(body)
  }
  const headBytes = Buffer.byteLength(head)
  const bytes = Buffer.allocUnsafe(headBytes + body.byteLength)
  bytes.write(head, 0)
  bytes.set(body, headBytes)
  return socket.write(bytes)
}

/** Serves `socket` until it ends. */
export function serveConnection(options: {
  readonly socket: Socket
  readonly open: (head: RequestHead) => RequestHandler
}): void {
  const { socket, open } = options
  let handler: RequestHandler | undefined
  let body = createStreamBuffer(0)
  let keepAlive = true
  /** Inside `push` or `release`: replies given there are sent together, and parsing goes on afterwards. */
  let parsing = false
  let answered = false
  /** The client has not read its last reply, or has had its turn: nothing more is parsed for now. */
  let waiting = false
  /** Whoever takes the body is slow: nothing is read, so that the client's writes wait. */
  let blocked: RequestHandler | undefined

  const gone = () => {
    const left = handler
    handler = undefined
    left?.gone?.()
  }

  const respond = (of: RequestHandler, reply: Reply): boolean => {
    if (handler !== of || socket.destroyed) return false
    handler = undefined
    const drained = writeReply(socket, reply, !keepAlive)
    if (!keepAlive) {
      socket.end()
      return true
    }
    if (!drained) {
      waiting = true
      socket.once('drain', goOn)
    }
    if (parsing) answered = true
    else if (drained) proceed(() => parser.release())
    return true
  }

  const goOn = () => {
    waiting = false
    proceed(() => parser.release())
  }

  /** Parses, and goes on parsing as long as replies are given at once. */
  const proceed = (parse: () => void) => {
    // Whoever left must not begin anything: nobody would tell its handler that it is gone.
    if (socket.destroyed) return
    parsing = true
    socket.cork()
    try {
      parse()
      for (let turn = 0; answered && !waiting && !socket.writableEnded; turn++) {
        answered = false
        if (turn < MAX_REQUESTS_A_TURN) parser.release()
        else {
          waiting = true
          setImmediate(goOn)
        }
      }
      answered = false
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error
      const text = `${error.status} ${STATUS_TEXT[error.status]}: ${error.message}`
      writeReply(socket, { status: error.status, contentType: 'text/plain; charset=utf-8', body: text }, true)
      socket.end()
      gone()
    } finally {
      parsing = false
      socket.uncork()
    }
    readOrWait()
  }

  const readOrWait = () => {
    if (waiting || blocked || parser.heldBytes > MAX_HELD_BYTES) socket.pause()
    else if (socket.isPaused()) socket.resume()
  }

  const block = async (by: RequestHandler, room: Promise<void>) => {
    if (blocked) return
    blocked = by
    await room
    if (blocked !== by) return
    blocked = undefined
    if (!socket.destroyed) readOrWait()
  }

  const parser = createRequestParser({
    onHead(head) {
      ;({ keepAlive } = head)
      handler = open(head)
      body = createStreamBuffer(handler.keepBytes)
      if (head.expectsContinue) socket.write('HTTP/1.1 100 Continue\r\n\r\n')
    },
    onBody(bytes) {
      if (handler?.take) {
        const room = handler.take(bytes)
        if (room) void block(handler, room)
      } else body.push(bytes, bytes.length)
    },
    onEnd(trailers) {
      const { bytes, sizeBytes } = body.take()
      const current = handler
      // What comes next on this connection has nothing to do with who takes this body.
      blocked = undefined
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
