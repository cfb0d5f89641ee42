/** Serves the packages that `Code.Location` and a layer's `Content.Location` point at. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'

import { CODE_PATH, createCodeLinks } from '#control-plane/artifacts/code-link.ts'
import { escapeXml } from '#control-plane/artifacts/s3-error.ts'
import type { Clock } from '#kernel/clock.ts'
import { openStream, SEALED_STREAM_BYTES } from '#kernel/sealed-stream.ts'
import { createSemaphore, SemaphoreFull } from '#kernel/semaphore.ts'
import { BlobMissing, type Blobs } from '#store/port.ts'

/** Downloads at the same time; each holds a file and a buffer. Beyond it and as many waiting, S3's 503. */
const DOWNLOADS_AT_ONCE = 32
/** A client that reads nothing for this long is cut off. */
const STALL_MS = 60_000

export interface CodeDownloadOptions {
  readonly blobs: Pick<Blobs, 'get' | 'sizeOf'>
  /** The key that the links were signed with. */
  readonly key: Uint8Array
  readonly clock: Clock
}

/** Answers true when the request was for a package (whatever the answer), false when it is somebody else's. */
export type CodeDownload = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>

export function createCodeDownload({ blobs, key, clock }: CodeDownloadOptions): CodeDownload {
  const links = createCodeLinks({ key, clock })
  const downloads = createSemaphore({ places: DOWNLOADS_AT_ONCE, maxWaiting: DOWNLOADS_AT_ONCE })

  const send = async (
    response: ServerResponse,
    { blob, key: contentKey }: { readonly blob: string; readonly key?: Uint8Array },
    head: boolean,
  ) => {
    const storedBytes = await blobs.sizeOf(blob)
    if (storedBytes === undefined) {
      sendError(response, 404, 'NoSuchKey', 'The specified key does not exist.')
      return
    }
    const body = head ? undefined : await blobs.get(blob)
    response.writeHead(200, {
      'Content-Type': 'application/zip',
      'Content-Length': contentKey ? storedBytes - SEALED_STREAM_BYTES : storedBytes,
      ETag: `"${blob}"`,
      'Cache-Control': 'private, no-store',
    })
    if (!body) {
      response.end()
      return
    }
    response.setTimeout(STALL_MS, () => response.destroy())
    await (contentKey ? pipeline(body, openStream(contentKey), response) : pipeline(body, response))
  }

  return async (request, response) => {
    const [pathname = '', query = ''] = (request.url ?? '').split('?', 2)
    if (!pathname.startsWith(CODE_PATH)) return false
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD')
      sendError(
        response,
        405,
        'MethodNotAllowed',
        'The specified method is not allowed against this resource.',
      )
      return true
    }
    const check = links.check(pathname, new URLSearchParams(query))
    if (check.kind === 'forged') {
      sendError(
        response,
        403,
        'SignatureDoesNotMatch',
        'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      )
      return true
    }
    if (check.kind === 'expired') {
      sendError(response, 403, 'AccessDenied', 'Request has expired', {
        'X-Amz-Expires': String(check.validSeconds),
        Expires: isoSeconds(check.expiredAt),
        ServerTime: isoSeconds(clock.now()),
      })
      return true
    }
    let release: () => void
    try {
      release = await downloads.acquire()
    } catch (error) {
      if (!(error instanceof SemaphoreFull)) throw error
      sendError(response, 503, 'SlowDown', 'Please reduce your request rate.')
      return true
    }
    try {
      await send(response, check, request.method === 'HEAD')
    } catch (error) {
      // Once bytes are out, cutting the connection is the only way to say that the rest is missing.
      if (response.headersSent) response.destroy()
      else if (error instanceof BlobMissing) {
        sendError(response, 404, 'NoSuchKey', 'The specified key does not exist.')
      } else throw error
    } finally {
      release()
    }
    return true
  }
}

const isoSeconds = (at: number) => new Date(at).toISOString().replace(/\.\d+/, '')

/** An error in S3's form, which is what tools that follow such links know. */
function sendError(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  members: Readonly<Record<string, string>> = {},
): void {
  const inner = Object.entries({ Code: code, Message: message, ...members })
    .map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`)
    .join('')
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${inner}</Error>`
  response.writeHead(status, { 'Content-Type': 'application/xml', 'Content-Length': Buffer.byteLength(body) })
  response.end(body)
}
