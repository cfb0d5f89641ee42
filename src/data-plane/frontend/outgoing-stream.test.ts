import assert from 'node:assert/strict'
import { test } from 'node:test'

import { AWS_STREAMING_LIMITS, createOutgoingStream } from '#data-plane/frontend/outgoing-stream.ts'
import { createBandwidthLimit } from '#data-plane/frontend/bandwidth.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { KIB, MIB } from '#kernel/units.ts'

const setup = (limits: Partial<typeof AWS_STREAMING_LIMITS> = {}) => {
  const clock = createVirtualClock()
  return { clock, stream: createOutgoingStream({ limits: { ...AWS_STREAMING_LIMITS, ...limits }, clock }) }
}
const text = (chunk: Uint8Array | undefined) => Buffer.from(chunk ?? []).toString()
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('stream: a waiting reader gets each chunk as it comes, then the end', async () => {
  const { stream } = setup()
  const chunks = stream.chunks()
  stream.start('text/plain')
  await stream.started
  assert.deepEqual([stream.begun, stream.contentType], [true, 'text/plain'])
  for (const word of ['one', 'two']) {
    const next = chunks.next()
    assert.equal(stream.write(Buffer.from(word)), true)
    assert.equal(text((await next).value as Uint8Array), word)
  }
  const end = chunks.next()
  stream.close()
  assert.equal((await end).done, true)
})

test('stream: chunks that wait are put together, up to the size of an event', async () => {
  const { stream } = setup()
  for (let n = 0; n < 100; n++) stream.write(Buffer.from(`${n},`))
  stream.write(Buffer.alloc(60 * KIB))
  stream.write(Buffer.alloc(60 * KIB))
  stream.close()
  const sizes: number[] = []
  for await (const chunk of stream.chunks()) sizes.push(chunk.byteLength)
  assert.deepEqual(sizes, [290 + 60 * KIB, 60 * KIB])
})

test('stream: is full at its bound, and has room again when half of it is read', async () => {
  const { stream } = setup({ heldBytes: 4 * KIB })
  const kib = Buffer.alloc(KIB - 128)
  for (let n = 0; n < 3; n++) assert.equal(stream.write(kib), true)
  assert.equal(stream.write(kib), false)
  assert.equal(stream.full, true)
  let room = false
  const waited = stream.whenRoom().then(() => (room = true))
  await turn()
  assert.equal(room, false)
  await stream.chunks().next()
  await waited
  assert.equal(stream.full, false)
})

test('stream: bytes that come one by one are bounded by what they cost, not by their number', () => {
  const { stream } = setup({ heldBytes: 128 * KIB })
  let written = 0
  while (stream.write(Buffer.alloc(1))) written++
  assert.ok(written < 1100, `${written}`)
})

test('stream: small chunks that wait do not hold on to the large buffers they arrived in', async () => {
  const { stream } = setup()
  const arrived = Buffer.alloc(64 * KIB, 'a')
  stream.write(Buffer.from('first'))
  stream.write(arrived.subarray(0, 5))
  arrived.fill('b')
  assert.equal(text((await stream.chunks().next()).value as Uint8Array), 'firstaaaaa')
})

test('stream: a reader who leaves is no burden: everything is dropped at once and there is always room', async () => {
  const { stream } = setup({ heldBytes: KIB })
  assert.equal(stream.write(Buffer.alloc(2 * KIB)), false)
  const waiting = stream.whenRoom()
  const chunks = stream.chunks()
  await chunks.next()
  await chunks.return(undefined)
  await waiting
  for (let n = 0; n < 100; n++) assert.equal(stream.write(Buffer.alloc(2 * KIB)), true)
  assert.equal(stream.receivedBytes, 202 * KIB)
})

test('stream: abandoned before anybody reads, it ends for a reader who comes late', async () => {
  const { stream } = setup({ heldBytes: KIB })
  stream.write(Buffer.alloc(2 * KIB))
  stream.abandon()
  assert.equal((await stream.chunks().next()).done, true)
})

test('stream: what is written after the end of the invocation is dropped, the rest before it is kept', async () => {
  const { stream } = setup()
  stream.write(Buffer.from('kept'))
  stream.close()
  assert.equal(stream.write(Buffer.from('late')), true)
  stream.start('too late')
  assert.equal(stream.contentType, undefined)
  const read: string[] = []
  for await (const chunk of stream.chunks()) read.push(text(chunk))
  assert.deepEqual(read, ['kept'])
})

test('stream: a rest that nobody reads for five minutes is given up, and the reader told', async () => {
  const { stream, clock } = setup()
  for (let n = 0; n < 2; n++) stream.write(Buffer.alloc(60 * KIB))
  const chunks = stream.chunks()
  await chunks.next()
  stream.close()
  await clock.advance(299_999)
  assert.equal(clock.pendingTimers, 1)
  await clock.advance(1)
  await assert.rejects(chunks.next(), /did not read the end/)
})

test('stream: a timer is left only while something waits to be read', async () => {
  const { stream, clock } = setup()
  stream.write(Buffer.from('x'))
  stream.close()
  for await (const chunk of stream.chunks()) void chunk
  assert.equal(clock.pendingTimers, 0)
})

test('stream: the first six megabytes pass at once, then two a second', async () => {
  const { stream, clock } = setup()
  let read = 0
  const reading = (async () => {
    for await (const chunk of stream.chunks()) read += chunk.byteLength
  })()
  const piece = Buffer.alloc(64 * KIB)
  let written = 0
  const writing = (async () => {
    for (; written < 10 * MIB; written += piece.length) {
      if (!stream.write(piece)) await stream.whenRoom()
    }
    stream.close()
  })()
  await clock.advance(0)
  while (read < 6 * MIB) await turn()
  await turn()
  assert.equal(read, 6 * MIB)
  assert.ok(written - read <= AWS_STREAMING_LIMITS.heldBytes + piece.length, 'the guest waits as well')
  await clock.advance(500)
  assert.equal(read, 7 * MIB)
  await clock.advance(1500)
  await Promise.all([reading, writing])
  assert.equal(read, 10 * MIB)
})

test('bucket: an idle one fills up to its burst and no further', async () => {
  const clock = createVirtualClock()
  const bucket = createBandwidthLimit({ bandwidth: { burstBytes: 100, bytesPerSecond: 10 }, clock })
  assert.equal(bucket.take(100), 0)
  assert.equal(bucket.take(10), 1000)
  await clock.advance(1000)
  assert.equal(bucket.take(0), 0)
  await clock.advance(1_000_000)
  assert.equal(bucket.take(101), 100)
})

test('bucket: an endless one makes nobody wait', () => {
  const bandwidth = { burstBytes: Number.POSITIVE_INFINITY, bytesPerSecond: 1 }
  const bucket = createBandwidthLimit({ bandwidth, clock: createVirtualClock() })
  assert.equal(bucket.take(1e9), 0)
})
