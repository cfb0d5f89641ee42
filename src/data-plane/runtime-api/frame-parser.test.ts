import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { encodeFrameHead, GUEST_FRAME } from '#data-plane/runtime-api/frame.ts'
import { createFrameParser, ProtocolError } from '#data-plane/runtime-api/frame-parser.ts'

const MAX_BYTES = 200

type Frame = readonly [type: number, header: string, payload: string, payloadBytes: number]

function parse(chunks: readonly Uint8Array[]): Frame[] {
  const frames: Frame[] = []
  const parser = createFrameParser({
    maxResponseBytes: MAX_BYTES,
    onFrame: (type, header, payload, payloadBytes) => {
      frames.push([type, header, payload.toString('hex'), payloadBytes])
    },
  })
  for (const chunk of chunks) parser.push(Buffer.from(chunk))
  return joinPieces(frames)
}

/** Chunks of a stream come in pieces: those that follow each other count as one here. */
function joinPieces(frames: readonly Frame[]): Frame[] {
  const joined: Frame[] = []
  for (const frame of frames) {
    const [type, header, payload, payloadBytes] = frame
    const last = type === GUEST_FRAME.streamChunk ? joined.at(-1) : undefined
    if (last?.[0] === type) joined.splice(-1, 1, [type, header, last[2] + payload, last[3] + payloadBytes])
    else joined.push(frame)
  }
  return joined
}

/** `bytes` in pieces at `cuts`, which may be any numbers. */
function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const sorted = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b)
  return [...sorted, bytes.length].map((cut, index) => bytes.subarray(sorted[index - 1] ?? 0, cut))
}

const frames = fc.array(
  fc.record({
    type: fc.constantFrom(...Object.values(GUEST_FRAME)),
    header: fc.string({ maxLength: 30, unit: 'grapheme' }),
    payload: fc.uint8Array({ maxLength: 400 }),
  }),
  { maxLength: 6 },
)

function encode({ type, header, payload }: { type: number; header: string; payload: Uint8Array }): Buffer {
  const head = encodeFrameHead(0x01, header, payload.length, payload.length)
  head[4] = type
  head.set(payload, head.length - payload.length)
  return head
}

test('frames are the same wherever the stream is cut', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(), { maxLength: 12 }), (list, cuts) => {
      const expected = list.map(({ type, header, payload }): Frame => {
        const counted =
          payload.length > MAX_BYTES &&
          type !== GUEST_FRAME.log &&
          type !== GUEST_FRAME.ready &&
          type !== GUEST_FRAME.initDone &&
          type !== GUEST_FRAME.streamStart &&
          type !== GUEST_FRAME.streamChunk
        return [
          type,
          type === GUEST_FRAME.streamChunk ? '' : Buffer.from(header).toString('utf8'),
          counted ? '' : Buffer.from(payload).toString('hex'),
          payload.length,
        ]
      })
      assert.deepEqual(parse(split(Buffer.concat(list.map(encode)), cuts)), joinPieces(expected))
    }),
    { numRuns: 300 },
  )
})

test('every cut of two frames gives the two frames', () => {
  const bytes = Buffer.concat([
    encode({ type: GUEST_FRAME.log, header: '{"timestamp":1}', payload: Buffer.from('hello') }),
    encode({ type: GUEST_FRAME.initDone, header: '', payload: Buffer.alloc(0) }),
  ])
  const whole = parse([bytes])
  assert.equal(whole.length, 2)
  for (let cut = 0; cut <= bytes.length; cut++) {
    assert.deepEqual(parse([bytes.subarray(0, cut), bytes.subarray(cut)]), whole)
  }
  assert.deepEqual(parse([...bytes].map((byte) => Uint8Array.of(byte))), whole)
})

test('random bytes are frames or a protocol error, never anything else', () => {
  // Small lengths, so that random bytes get past the first check often enough.
  const prefixed = fc
    .tuple(
      fc.nat({ max: 40 }),
      fc.integer({ min: 0x80, max: 0x8b }),
      fc.nat({ max: 20 }),
      fc.uint8Array({ maxLength: 60 }),
    )
    .map(([length, type, header, rest]) => Buffer.from([0, 0, 0, length, type, 0, 0, 0, header, ...rest]))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), prefixed), fc.array(fc.nat()), (bytes, cuts) => {
      try {
        parse(split(Buffer.from(bytes), cuts))
      } catch (error) {
        assert.ok(error instanceof ProtocolError)
      }
    }),
    { numRuns: 500 },
  )
})

test('a frame that announces gigabytes reserves nothing', () => {
  const before = process.memoryUsage().arrayBuffers
  const parsers = Array.from({ length: 200 }, () => {
    const parser = createFrameParser({ maxResponseBytes: 4_000_000_000, onFrame: () => {} })
    parser.push(Buffer.from([0xee, 0, 0, 0, GUEST_FRAME.response, 0, 0, 0, 0, 1]))
    return parser
  })
  assert.ok(process.memoryUsage().arrayBuffers - before < 50_000_000)
  assert.equal(parsers.length, 200)
})
