/** Another registry than ours, over real HTTP, with the habits that registries have: tokens, redirects, broken pipes. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { describeImage, describeIndex, type Described, type ImageOfLayout } from './oci-layout.ts'

export interface ForeignRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  /** Where blobs come from: another origin. */
  readonly blobHost: string
  /** `GET /path authorization` of every request. */
  readonly seen: string[]
  /** Called first; true: it has answered. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean
  add(image: ImageOfLayout): Described
  addIndex(images: readonly ImageOfLayout[]): Described
  /** Names an image `tag`, in every repository. */
  tag(tag: string, described: Described): void
  readonly blobs: Map<string, Buffer>
}

const listen = async (handler: (request: IncomingMessage, response: ServerResponse) => void) => {
  const server: Server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

export async function startForeignRegistry(auth: 'none' | 'basic' | 'token'): Promise<ForeignRegistry> {
  const blobs = new Map<string, Buffer>()
  const manifests = new Map<string, Described>()
  const seen: string[] = []
  const note = ({ method, url, headers }: IncomingMessage) =>
    void seen.push(`${method} ${url} ${headers.authorization ?? '-'}`)

  const blobServer = await listen((request, response) => {
    note(request)
    if (registry.intercept(request, response)) return
    const bytes = blobs.get(decodeURIComponent(request.url?.split('/').at(-1) ?? ''))
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    if (!bytes) response.writeHead(404).end()
    else if (start === 0) response.end(bytes)
    else {
      response.writeHead(206, { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` })
      response.end(bytes.subarray(start))
    }
  })
  const isAllowed = ({ headers }: IncomingMessage) =>
    auth === 'none' ||
    headers.authorization === (auth === 'token' ? 'Bearer the-token' : `Basic ${btoa('user:secret')}`)
  const main = await listen((request, response) => {
    note(request)
    if (registry.intercept(request, response)) return
    const url = new URL(request.url ?? '', `http://${main.host}`)
    if (url.pathname === '/token') {
      const isKnown = request.headers.authorization === `Basic ${btoa('user:secret')}`
      response.writeHead(isKnown ? 200 : 401).end(JSON.stringify({ token: 'the-token', expires_in: 300 }))
      return
    }
    if (!isAllowed(request)) {
      const challenge =
        auth === 'basic' ? 'Basic realm="r"' : `Bearer realm="http://${main.host}/token",service="test"`
      response.writeHead(401, { 'www-authenticate': challenge }).end()
      return
    }
    const [, kind, reference = ''] = /\/(manifests|blobs)\/([^/]+)$/.exec(url.pathname) ?? []
    if (kind === 'blobs') {
      response.writeHead(307, { location: `http://${blobServer.host}/${reference}` }).end()
      return
    }
    const described = manifests.get(reference)
    if (!described) response.writeHead(404).end()
    else response.writeHead(200, { 'content-type': described.mediaType }).end(blobs.get(described.digest))
  })

  const put = (bytes: Buffer, digest: string) => {
    blobs.set(digest, bytes)
    const { mediaType = '' } =
      bytes[0] === 0x7b ? (JSON.parse(bytes.toString()) as { mediaType?: string }) : {}
    manifests.set(digest, { mediaType, digest, size: bytes.length })
  }
  const registry: ForeignRegistry = {
    host: main.host,
    blobHost: blobServer.host,
    seen,
    intercept: () => false,
    blobs,
    add: (image) => describeImage(image, put),
    addIndex: (images) => describeIndex(images, put),
    tag: (tag, described) => void manifests.set(tag, described),
    async [Symbol.asyncDispose]() {
      for (const { server } of [main, blobServer]) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
  return registry
}
