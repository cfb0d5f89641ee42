/** An HTTP endpoint of a customer: writes down what is posted to it, and answers as it is told. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Posted {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface HttpEndpoint {
  readonly url: string
  readonly posted: readonly Posted[]
  /** Status of the answers from now on; undefined: it never answers. */
  status: number | undefined
  close(): void
}

export async function startHttpEndpoint(): Promise<HttpEndpoint> {
  const posted: Posted[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      posted.push({ path: request.url ?? '', headers: request.headers, body })
      if (endpoint.status === undefined) return
      response.writeHead(endpoint.status)
      response.end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint: HttpEndpoint = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posted,
    status: 200,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
  return endpoint
}
