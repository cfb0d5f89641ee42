/** Serves routes to the one guest that can reach a listener. */
import type { Server, Socket } from 'node:net'

import { serveConnection } from '#data-plane/runtime-api/http-connection.ts'
import * as replies from '#data-plane/runtime-api/http-replies.ts'
import type { Reply, RequestHandler } from '#data-plane/runtime-api/http-connection.ts'
import { createRouter, type Route } from '#data-plane/runtime-api/http-router.ts'

/** Connections of one guest at once: AWS's clients use one or two, and there are ten extensions at most. */
const MAX_CONNECTIONS = 32

/** The handler of a call that is answered whatever it brings: the body is read and dropped. */
export const answerWith = (reply: Reply): RequestHandler => ({
  keepBytes: 0,
  finish: ({ respond }) => void respond(reply),
})

export interface RouteService {
  /** Adds rows behind those there are. Returns how to take them away again. */
  add(routes: readonly Route[]): () => void
  /** Serves them to whoever connects. Returns how to end that; the server itself is the caller's. */
  serve(server: Server): () => void
}

/** `maxConcurrency`: invocations that the runtime may run at once. */
export function createRouteService(maxConcurrency = 0): RouteService {
  // Beside those for the rest one for the answer and one for the next poll of each.
  const maxConnections = MAX_CONNECTIONS + 2 * maxConcurrency
  let tables: readonly (readonly Route[])[] = []
  const routerOf = () =>
    createRouter(tables.flat(), {
      notFound: () => answerWith(replies.NOT_FOUND),
      methodNotAllowed: () => answerWith(replies.METHOD_NOT_ALLOWED),
    })
  let router = routerOf()
  const change = (next: readonly (readonly Route[])[]) => {
    tables = next
    router = routerOf()
  }
  return {
    add(routes) {
      change([...tables, routes])
      return () => change(tables.filter((table) => table !== routes))
    },
    serve(server) {
      const connections = new Set<Socket>()
      let closed = false
      const onConnection = (socket: Socket) => {
        if (closed || connections.size >= maxConnections) {
          socket.destroy()
          return
        }
        connections.add(socket)
        socket.on('close', () => connections.delete(socket))
        serveConnection({ socket, open: (head) => router(head) })
      }
      server.on('connection', onConnection)
      return () => {
        closed = true
        server.off('connection', onConnection)
        for (const socket of connections) socket.destroy()
      }
    },
  }
}
