/** HTTP/1.1 requests out of a byte stream, one at a time: the next one is not looked at before `release`. */
import { createByteBuffer } from '#data-plane/runtime-api/byte-buffer.ts'
import type { RequestHead } from '#data-plane/runtime-api/http-head.ts'
import { BadRequest, createHeadReader, MAX_HEAD_BYTES, readField } from '#data-plane/runtime-api/http-head.ts'

const MAX_CHUNK_LINE_BYTES = 4096
const LINE_FEED = 0x0a

export interface RequestEvents {
  /** The head is complete and the body begins. */
  onHead(head: RequestHead): void
  /** A piece of the body: a view of a received chunk, which does not change. */
  onBody(bytes: Buffer): void
  /** The request is complete. The parser holds until `release`. */
  onEnd(trailers: ReadonlyMap<string, string>): void
}

export interface RequestParser {
  /** Throws `BadRequest`; the parser must not be used afterwards. While it holds, bytes are kept for later. */
  push(chunk: Buffer): void
  /** Goes on with the next request. Throws like `push`. */
  release(): void
  /** Bytes that wait for `release`; the caller stops reading when they are many. */
  readonly heldBytes: number
  /** True between the first byte of a request and its end. */
  readonly inRequest: boolean
}

const NO_TRAILERS: ReadonlyMap<string, string> = new Map()

export function createRequestParser(events: RequestEvents): RequestParser {
  const head = createHeadReader()
  const line = createByteBuffer({ firstBytes: 512, maxBytes: MAX_HEAD_BYTES })
  let expecting: 'head' | 'fixed-body' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer' | 'held' = 'head'
  /** Left of the body or chunk. */
  let leftBytes = 0
  /** Read of the head, or of the trailers. */
  let headBytes = 0
  let trailers = new Map<string, string>()
  let backlog: Buffer[] = []
  let heldBytes = 0

  const end = (fields: ReadonlyMap<string, string>) => {
    expecting = 'held'
    headBytes = 0
    events.onEnd(fields)
  }

  const takeLine = (text: string) => {
    switch (expecting) {
      case 'head': {
        const complete = head.line(text)
        if (!complete) return
        headBytes = 0
        if (complete.body.kind === 'chunked') expecting = 'chunk-size'
        else {
          leftBytes = complete.body.bytes
          expecting = 'fixed-body'
        }
        events.onHead(complete)
        if (expecting === 'fixed-body' && leftBytes === 0) end(NO_TRAILERS)
        return
      }
      case 'chunk-size': {
        const size = /^([0-9a-fA-F]{1,12})[ \t]*(;.*)?$/.exec(text)?.[1]
        if (size === undefined) throw new BadRequest(400, 'malformed chunk')
        leftBytes = Number.parseInt(size, 16)
        headBytes = 0
        if (leftBytes > 0) expecting = 'chunk'
        else {
          expecting = 'trailer'
          trailers = new Map()
        }
        return
      }
      case 'chunk-end':
        if (text !== '') throw new BadRequest(400, 'malformed chunk')
        headBytes = 0
        expecting = 'chunk-size'
        return
      default:
        if (text === '') end(trailers)
        else readField(text, trailers)
    }
  }

  /** Reads until the chunk is used up or the parser holds. Returns where it stopped. */
  const read = (chunk: Buffer): number => {
    let at = 0
    while (at < chunk.length && expecting !== 'held') {
      if (expecting === 'fixed-body' || expecting === 'chunk') {
        const until = Math.min(chunk.length, at + leftBytes)
        leftBytes -= until - at
        const piece = chunk.subarray(at, until)
        at = until
        events.onBody(piece)
        if (leftBytes > 0) continue
        if (expecting === 'chunk') expecting = 'chunk-end'
        else end(NO_TRAILERS)
        continue
      }
      const feed = chunk.indexOf(LINE_FEED, at)
      const until = feed === -1 ? chunk.length : feed
      headBytes += until - at + 1
      const limit = expecting === 'head' || expecting === 'trailer' ? MAX_HEAD_BYTES : MAX_CHUNK_LINE_BYTES
      if (headBytes > limit) throw new BadRequest(431, 'the head is too long')
      if (feed === -1) {
        line.append(chunk.subarray(at))
        return chunk.length
      }
      let text: string
      if (line.length === 0) text = chunk.toString('latin1', at, feed)
      else {
        line.append(chunk.subarray(at, feed))
        text = line.view().toString('latin1')
        line.clear()
      }
      at = feed + 1
      takeLine(text.endsWith('\r') ? text.slice(0, -1) : text)
    }
    return at
  }

  const hold = (bytes: Buffer) => {
    if (bytes.length === 0) return
    backlog.push(bytes)
    heldBytes += bytes.length
  }

  return {
    push(chunk) {
      if (expecting === 'held') hold(chunk)
      else hold(chunk.subarray(read(chunk)))
    },
    release() {
      if (expecting !== 'held') return
      expecting = 'head'
      const waiting = backlog
      backlog = []
      heldBytes = 0
      // What is held again in the middle keeps its order: `read` stops at once when the parser holds.
      for (const bytes of waiting) hold(bytes.subarray(read(bytes)))
    },
    get heldBytes() {
      return heldBytes
    },
    get inRequest() {
      return expecting !== 'held' && (expecting !== 'head' || headBytes > 0)
    },
  }
}
