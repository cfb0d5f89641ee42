/** Puts a response of a protocol on the connection. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'

import type { WireResponse } from '#wire/protocol.ts'

/**
 * Sends everything. The end waits for `mayEnd`: after the end of an answer that asks for it, Node closes the connection
 * at once, and a client that is still sending would see a reset connection instead of the answer. Resolves when the last byte is handed to the connection. A stream waits for a slow client, and is
 * returned early (its `finally` blocks run) when the client goes away. Rejects with the stream's own failure.
 */
export async function respond(
  response: ServerResponse,
  { status, headers, body }: WireResponse,
  extra: readonly string[],
  mayEnd?: Promise<void>,
): Promise<void> {
  if (response.destroyed) return
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    const length = status === 204 ? [] : ['Content-Length', String(bytes?.byteLength ?? 0)]
    response.writeHead(status, [...headers, ...length, ...extra])
    if (mayEnd && bytes) {
      response.write(bytes)
      await mayEnd
      response.end()
    } else response.end(bytes)
    return
  }
  response.writeHead(status, [...headers, ...extra])
  // Clients of streams wait for the head: it must not wait for the first chunk.
  response.flushHeaders()
  const gone = new AbortController()
  const onClose = () => gone.abort()
  response.once('close', onClose)
  try {
    for await (const chunk of body) {
      if (response.destroyed) return
      if (!response.write(chunk)) await once(response, 'drain', { signal: gone.signal })
    }
    response.end()
  } catch (error) {
    if (!gone.signal.aborted) throw error
  } finally {
    response.off('close', onClose)
  }
}
