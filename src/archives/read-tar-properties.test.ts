import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { tarOf } from '../../test/support/tar-builder.ts'
import { ArchiveRefused } from './archive-refused.ts'
import { readTar } from './read-tar.ts'

const SAMPLE = tarOf([
  { name: 'bin/', type: '5', mode: 0o755 },
  { name: 'bin/a', content: 'x'.repeat(700), mode: 0o755 },
  { name: 'long', type: 'L', content: `${'very/'.repeat(30)}long\0` },
  { name: 'cut off', content: 'y' },
  { name: 'pax', type: 'x', content: '20 path=some/where\n'.padEnd(19) },
  { name: 'b', type: '2', target: '../bin/a' },
])

async function* once(bytes: Uint8Array) {
  yield bytes
}

/** Reads everything; counts what came out. */
async function consume(tar: Uint8Array) {
  let bytes = 0
  for await (const entry of readTar(once(tar))) bytes += (await entry.whole()).byteLength
  return bytes
}

test('tar: whatever bytes are changed or missing, it is read or refused, never anything else', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(SAMPLE.length - 1), fc.nat(255)), { maxLength: 4 }),
      fc.nat(SAMPLE.length),
      async (changes, length) => {
        const tar = Buffer.from(SAMPLE.subarray(0, length))
        for (const [at, value] of changes) if (at < length) tar[at] = value
        try {
          assert.ok((await consume(tar)) <= SAMPLE.length)
        } catch (error) {
          assert.ok(error instanceof ArchiveRefused, String(error))
        }
      },
    ),
    { numRuns: 500 },
  )
})
