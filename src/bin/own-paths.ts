/** Lambent's own paths beside the AWS APIs: everything under /_lambent/. */
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface OwnPaths {
  /** What /_lambent/health answers. */
  readonly health: () => object
  /** What /_lambent/top answers. */
  readonly top: () => object
  /** Prometheus text. */
  readonly metrics: () => string
  /** Serves /_lambent/code/...; false when the path is not its own. */
  readonly codeDownload: (request: IncomingMessage, response: ServerResponse) => Promise<boolean>
}

const PREFIX = '/_lambent/'

const isLoopback = (address = '') => /^(?:::ffff:)?127\.|^::1$/.test(address)

function send(response: ServerResponse, status: number, type: string, body: string) {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  })
  response.end(body)
}

/** Answers a request for one of our own paths. Returns false at once for any other. */
export function createOwnPaths(
  paths: OwnPaths,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? '').split('?', 1)[0]
    const reads = request.method === 'GET' || request.method === 'HEAD'
    if (path === `${PREFIX}health` && reads)
      send(response, 200, 'application/json', JSON.stringify(paths.health()))
    else if (path === `${PREFIX}top` && reads) {
      // It names everybody's functions, and asks nobody who he is.
      if (isLoopback(request.socket.remoteAddress))
        send(response, 200, 'application/json', JSON.stringify(paths.top()))
      else send(response, 403, 'application/json', JSON.stringify({ message: 'Only this machine may look' }))
    } else if (path === `${PREFIX}metrics` && reads)
      send(response, 200, 'text/plain; version=0.0.4', paths.metrics())
    else if (!(await paths.codeDownload(request, response))) {
      send(response, 404, 'application/json', JSON.stringify({ message: `There is nothing at ${path}` }))
    }
  }
  return (request, response) => {
    if (!request.url?.startsWith(PREFIX)) return false
    // Nothing here reads a body; what a client sends all the same is thrown away.
    request.resume()
    answer(request, response).catch(() => {
      if (response.headersSent) response.destroy()
      else send(response, 500, 'application/json', JSON.stringify({ message: 'Internal error' }))
    })
    return true
  }
}
