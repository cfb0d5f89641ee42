/** The one HTTP listener: own paths first, everything else to the door of the AWS APIs. */
import { createServer, type Server } from 'node:http'

import type { Door } from '#wire/door.ts'

export interface Listener {
  readonly server: Server
  readonly port: number
  /** Takes no new connections and ends idle ones; running requests finish. */
  close(): void
}

/** A client that sends no whole head within this time is cut off. */
const HEADERS_TIMEOUT_MS = 30_000
/** Longer than the idle timeouts of the AWS SDKs' connection pools, so that the client closes first. */
const KEEP_ALIVE_MS = 75_000
const MAX_HEADER_BYTES = 32 * 1024

/** Resolves when it listens. Rejects when the address can't be had, with what to do about it. */
export async function listen(options: {
  readonly host: string
  readonly port: number
  readonly door: Door
  readonly ownPaths: (...exchange: Parameters<Door>) => boolean
}): Promise<Listener> {
  const { host, port, door, ownPaths } = options
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // A function may run for 15 minutes before it answers; the door has deadlines of its own for bodies.
    requestTimeout: 0,
    noDelay: true,
  })
  server.on('request', (request, response) => {
    if (!ownPaths(request, response)) door(request, response)
  })
  server.on('checkContinue', (request, response) => {
    if (!ownPaths(request, response)) door(request, response, { awaitsContinue: true })
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const hint =
        error.code === 'EADDRINUSE' ? `Port ${port} is taken: stop what uses it, or choose another with --port` : error.message
      reject(new Error(hint, { cause: error }))
    })
    server.listen({ host, port }, resolve)
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('The listener has no address')
  return {
    server,
    port: address.port,
    close: () => {
      server.close()
      server.closeIdleConnections()
    },
  }
}
