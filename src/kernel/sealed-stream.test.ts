import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'

import { openStream, SEALED_STREAM_BYTES, sealStream } from '#kernel/sealed-stream.ts'

const key = Buffer.alloc(32, 1)
/** In pieces of this size. */
const piecesOf = (bytes: Buffer, size: number) => {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.byteLength; at += size) pieces.push(bytes.subarray(at, at + size))
  return Readable.from(pieces, { objectMode: false })
}
const seal = (bytes: Buffer, size = 1000) => buffer(piecesOf(bytes, size).pipe(sealStream(key)))
const open = (bytes: Buffer, size: number, with_ = key) => {
  const stream = openStream(with_)
  piecesOf(bytes, size).pipe(stream)
  return buffer(stream)
}

test('what was sealed is opened, in whatever pieces it comes', async () => {
  for (const length of [0, 1, 15, 16, 17, 5000]) {
    const plain = randomBytes(length)
    const sealed = await seal(plain)
    assert.equal(sealed.byteLength, length + SEALED_STREAM_BYTES)
    for (const size of [1, 7, 16, 4096]) assert.deepEqual(await open(sealed, size), plain)
  }
})

test('changed, cut and lengthened streams fail, and so does another key', async () => {
  const sealed = await seal(randomBytes(100))
  for (const at of [0, 20, sealed.byteLength - 1]) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    await assert.rejects(open(changed, 10))
  }
  await assert.rejects(open(sealed.subarray(0, -1), 10))
  await assert.rejects(open(sealed.subarray(0, 20), 10))
  await assert.rejects(open(Buffer.concat([sealed, Buffer.alloc(1)]), 10))
  await assert.rejects(open(sealed, 10, Buffer.alloc(32, 2)))
})
