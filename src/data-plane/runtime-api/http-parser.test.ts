import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { BadRequest } from '#data-plane/runtime-api/http-head.ts'
import { createRequestParser } from '#data-plane/runtime-api/http-parser.ts'

interface Seen {
  readonly method: string
  readonly path: string
  body: string
  trailers?: Readonly<Record<string, string>>
}

function parse(chunks: readonly Uint8Array[]): Seen[] {
  const seen: Seen[] = []
  const parser = createRequestParser({
    onHead: ({ method, path }) => void seen.push({ method, path, body: '' }),
    onBody: (bytes) => {
      const last = seen.at(-1)
      if (last) last.body += bytes.toString('latin1')
    },
    onEnd: (trailers) => {
      const last = seen.at(-1)
      if (last) last.trailers = Object.fromEntries(trailers)
    },
  })
  for (const chunk of chunks) {
    parser.push(Buffer.from(chunk))
    while (parser.heldBytes > 0) {
      const before = parser.heldBytes
      parser.release()
      if (parser.heldBytes === before) break
    }
    parser.release()
  }
  return seen
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const sorted = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b)
  return [...sorted, bytes.length].map((cut, index) => bytes.subarray(sorted[index - 1] ?? 0, cut))
}

const STREAM = Buffer.from(
  'POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello' +
    'GET /%2Fd HTTP/1.1\nhost:x\n\n' +
    '\r\nPOST /e HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0A;x=y\r\n0123456789\r\n0\r\nT: 1\r\n\r\n' +
    'PUT /f HTTP/1.0\r\nContent-Length: 0\r\n\r\n',
)
const REQUESTS = [
  { method: 'POST', path: '/a', body: 'hello', trailers: {} },
  { method: 'GET', path: '/%2Fd', body: '', trailers: {} },
  { method: 'POST', path: '/e', body: 'abc0123456789', trailers: { t: '1' } },
  { method: 'PUT', path: '/f', body: '', trailers: {} },
]

test('requests are the same wherever the stream is cut', () => {
  assert.deepEqual(parse([STREAM]), REQUESTS)
  for (let cut = 0; cut <= STREAM.length; cut++) {
    assert.deepEqual(parse([STREAM.subarray(0, cut), STREAM.subarray(cut)]), REQUESTS, `cut at ${cut}`)
  }
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 20 }), (cuts) => {
      assert.deepEqual(parse(split(STREAM, cuts)), REQUESTS)
    }),
  )
})

test('random bytes, and requests with bytes changed, are requests or a refusal, never anything else', () => {
  const changed = fc
    .array(fc.tuple(fc.nat({ max: STREAM.length - 1 }), fc.nat({ max: 255 })), { maxLength: 4 })
    .map((changes) => {
      const bytes = Buffer.from(STREAM)
      for (const [at, byte] of changes) bytes[at] = byte
      return bytes
    })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), changed), fc.array(fc.nat()), (bytes, cuts) => {
      try {
        parse(split(Buffer.from(bytes), cuts))
      } catch (error) {
        assert.ok(error instanceof BadRequest)
      }
    }),
    { numRuns: 500 },
  )
})

test('the parser holds between requests and keeps what comes meanwhile', () => {
  let heads = 0
  const parser = createRequestParser({ onHead: () => void heads++, onBody: () => {}, onEnd: () => {} })
  const request = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  parser.push(Buffer.concat([request, request]))
  parser.push(request)
  assert.equal(heads, 1)
  assert.equal(parser.heldBytes, 2 * request.length)
  parser.release()
  assert.equal(heads, 2)
  parser.release()
  parser.release()
  assert.equal(heads, 3)
  assert.equal(parser.heldBytes, 0)
})
