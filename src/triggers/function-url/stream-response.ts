/** A streamed answer of a function as an HTTP response: the head from its prelude, then the bytes as they come. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'

import { urlResponse, type UrlResponse } from '#triggers/function-url/response.ts'

/** The content type by which a function says that a prelude with status and headers comes first. */
const PRELUDE_TYPE = 'application/vnd.awslambda.http-integration-response'
/** Ends the prelude. */
const SEPARATOR = Buffer.alloc(8)
/** A prelude larger than this is none. */
const MAX_PRELUDE_BYTES = 64 * 1024

export interface StreamedParts {
  readonly contentType: string | undefined
  readonly chunks: AsyncIterable<Uint8Array>
}

/** Writes the whole answer. Resolves when the last byte is handed over, or early when the client has gone. */
export async function writeStream(
  response: ServerResponse,
  { contentType, chunks }: StreamedParts,
  writeHead: (head: UrlResponse) => void,
): Promise<void> {
  let collected: Buffer = Buffer.alloc(0)
  let inPrelude = contentType === PRELUDE_TYPE
  const type = contentType ?? 'application/octet-stream'
  if (!inPrelude) writeHead({ status: 200, headers: { 'content-type': type }, body: collected })
  for await (const chunk of chunks) {
    if (response.destroyed) return
    let rest: Uint8Array = chunk
    if (inPrelude) {
      collected = Buffer.concat([collected, chunk])
      const end = collected.indexOf(SEPARATOR)
      if (end < 0) {
        if (collected.length > MAX_PRELUDE_BYTES)
          throw new Error('The prelude of a streamed response does not end')
        continue
      }
      inPrelude = false
      writeHead(preludeHead(collected.subarray(0, end)))
      rest = collected.subarray(end + SEPARATOR.length)
    }
    // A slow client slows the function: nothing is taken from it before the client has taken what there is.
    if (rest.byteLength > 0 && !response.write(rest)) {
      await Promise.race([once(response, 'drain'), once(response, 'close')])
    }
  }
  if (inPrelude) throw new Error('The stream ended within its prelude')
  response.end()
}

/** The prelude has the members of a buffered answer without a body. */
function preludeHead(prelude: Uint8Array): UrlResponse {
  const parsed = JSON.parse(Buffer.from(prelude).toString()) as Record<string, unknown>
  return urlResponse(
    Buffer.from(JSON.stringify({ ...parsed, statusCode: parsed['statusCode'] ?? 200, body: undefined })),
  )
}
