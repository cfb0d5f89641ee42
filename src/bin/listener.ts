/** The one HTTP listener: own paths first, everything else to the door of the AWS APIs. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import type { Door } from '#wire/door.ts'

export interface Listener {
  readonly port: number
  /** From now on requests are answered; until then they get a 503. */
  serve(handlers: Handlers): void
  /** Serves a connection that somebody else has accepted. */
  accept(socket: Socket): void
  /** Takes no new connections and ends idle ones; running requests finish. */
  close(): void
}

export interface Handlers {
  readonly door: Door
  /** True when the request was for one of the program's own paths. */
  readonly ownPaths: (request: IncomingMessage, response: ServerResponse) => boolean
}

/** A client that sends no whole head within this time is cut off. */
const HEADERS_TIMEOUT_MS = 30_000
/** Longer than the idle timeouts of the AWS SDKs' connection pools, so that the client closes first. */
const KEEP_ALIVE_MS = 75_000
const MAX_HEADER_BYTES = 32 * 1024

/**
 * Takes the address first, because a taken port should stop the program before it touches anything, and because the
 * environments must be told the port. Rejects when the address can't be had, with what to do about it.
 */
export async function listen({
  host,
  port,
}: {
  readonly host: string
  readonly port: number
}): Promise<Listener> {
  let handlers: Handlers | undefined
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // A function may run for 15 minutes before it answers; the door has deadlines of its own for bodies.
    requestTimeout: 0,
    noDelay: true,
  })
  const handle = (request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean) => {
    if (!handlers) {
      request.resume()
      response.writeHead(503, { 'retry-after': '1', 'content-length': 0 })
      response.end()
    } else if (!handlers.ownPaths(request, response)) handlers.door(request, response, { awaitsContinue })
  }
  server.on('request', (request, response) => handle(request, response, false))
  server.on('checkContinue', (request, response) => handle(request, response, true))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return
    const status =
      error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const hint =
        error.code === 'EADDRINUSE'
          ? `Port ${port} is taken: stop what uses it, or choose another with --port`
          : error.message
      reject(new Error(hint, { cause: error }))
    })
    server.listen({ host, port }, resolve)
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('The listener has no address')
  return {
    port: address.port,
    serve: (given) => {
      handlers = given
    },
    accept: (socket) => void server.emit('connection', socket),
    close: () => {
      server.close()
      server.closeIdleConnections()
    },
  }
}
