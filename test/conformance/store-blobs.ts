import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { describe } from 'node:test'

import { BlobMismatch, BlobMissing, BlobTooLarge } from '#store/port.ts'

import { collect, type CreateStore, digest, withStore } from './store-harness.ts'

const bytes = Buffer.from('the bytes of a package')
const key = digest(bytes)

export function describeBlobs(create: CreateStore): void {
  describe('blobs', () => {
    withStore(create, 'stores bytes and streams alike', async ({ blobs }) => {
      assert.equal(await blobs.has(key), false)
      assert.deepEqual(await blobs.put(key, bytes), { sizeBytes: bytes.length })
      assert.equal(await blobs.has(key), true)
      assert.equal(await blobs.sizeOf(key), bytes.length)
      assert.deepEqual(await collect(await blobs.get(key)), bytes)

      const large = Buffer.alloc(700_000, 'abc')
      const pieces = [large.subarray(0, 1), large.subarray(1, 300_000), large.subarray(300_000)]
      assert.deepEqual(await blobs.put(digest(large), Readable.from(pieces)), { sizeBytes: large.length })
      assert.deepEqual(await collect(await blobs.get(digest(large))), large)
    })

    withStore(create, 'stores nothing at all, too', async ({ blobs }) => {
      const empty = digest('')
      assert.deepEqual(await blobs.put(empty, new Uint8Array(0)), { sizeBytes: 0 })
      assert.equal(await blobs.sizeOf(empty), 0)
      assert.equal((await collect(await blobs.get(empty))).length, 0)
    })

    withStore(
      create,
      'storing it again does nothing, and wrong bytes are still refused',
      async ({ blobs }) => {
        await blobs.put(key, bytes)
        assert.deepEqual(await blobs.put(key, Readable.from([bytes])), { sizeBytes: bytes.length })
        await assert.rejects(blobs.put(key, Buffer.from('other')), BlobMismatch)
        assert.deepEqual(await collect(await blobs.get(key)), bytes)
      },
    )

    withStore(create, 'several at once may store the same bytes', async ({ blobs }, { other }) => {
      const puts = [blobs, other?.blobs ?? blobs, blobs].map((port) => port.put(key, Readable.from([bytes])))
      await Promise.all(puts)
      assert.deepEqual(await collect(await blobs.get(key)), bytes)
    })

    withStore(create, 'refuses bytes that do not hash to the key', async ({ blobs }) => {
      await assert.rejects(blobs.put(key, Buffer.from('other')), BlobMismatch)
      await assert.rejects(blobs.put(key, Readable.from([bytes, bytes])), BlobMismatch)
      assert.equal(await blobs.has(key), false)
    })

    withStore(create, 'refuses more than maxBytes without reading on', async ({ blobs }) => {
      let pulled = 0
      const endless = new Readable({
        read() {
          pulled++
          this.push(Buffer.alloc(10_000))
        },
      })
      await assert.rejects(blobs.put(key, endless, 50_000), BlobTooLarge)
      assert.ok(pulled < 100, `${pulled} pieces were read`)
      assert.equal(endless.destroyed, true)
      await assert.rejects(blobs.put(key, bytes, bytes.length - 1), BlobTooLarge)
      assert.equal(await blobs.has(key), false)
      await blobs.put(key, bytes, bytes.length)
    })

    withStore(create, 'a stream that breaks leaves nothing behind', async ({ blobs }) => {
      const broken = Readable.from(
        (async function* () {
          yield bytes
          throw new Error('the client went away')
        })(),
      )
      await assert.rejects(blobs.put(key, broken), /went away/)
      assert.equal(await blobs.has(key), false)
      await blobs.put(key, bytes)
    })

    withStore(create, 'says what is missing', async ({ blobs }) => {
      await assert.rejects(blobs.get(key), BlobMissing)
      assert.equal(await blobs.sizeOf(key), undefined)
      assert.equal(await blobs.path(key), undefined)
    })

    withStore(create, 'deletes, also what is not there', async ({ blobs }) => {
      await blobs.put(key, bytes)
      const reader = await blobs.get(key)
      await blobs.del(key)
      await blobs.del(key)
      assert.equal(await blobs.has(key), false)
      await assert.rejects(blobs.get(key), BlobMissing)
      // One who is reading already reads to the end.
      assert.deepEqual(await collect(reader), bytes)
      await blobs.put(key, bytes)
      assert.equal(await blobs.has(key), true)
    })

    withStore(create, 'lists all of them in the order of their keys, page by page', async ({ blobs }) => {
      assert.deepEqual(await blobs.list('', 10), [])
      const all = Array.from({ length: 25 }, (_, index) => Buffer.from(`blob ${index}`))
      for (const content of all) await blobs.put(digest(content), content)
      const keys = all.map(digest).toSorted()
      const listed: string[] = []
      for (let after = ''; ;) {
        const page = await blobs.list(after, 7)
        listed.push(...page.map(({ sha256 }) => sha256))
        after = page.at(-1)?.sha256 ?? ''
        if (page.length < 7) break
      }
      assert.deepEqual(listed, keys)
      assert.deepEqual(await blobs.list(keys.at(-1) ?? '', 7), [])
      assert.deepEqual(await blobs.list('', 0), [])
    })

    withStore(create, 'deletes on condition that nobody has put it since', async ({ blobs }, under) => {
      await blobs.put(key, bytes)
      const [before] = await blobs.list('', 1)
      assert.ok(before)
      assert.equal(await blobs.del(key, before.putAt), false)
      assert.equal(await blobs.has(key), true)
      await under.passTime(5)
      // Storing it again counts, although nothing is written.
      await blobs.put(key, bytes)
      const [renewed] = await blobs.list('', 1)
      assert.ok(renewed && renewed.putAt > before.putAt)
      assert.equal(await blobs.del(key, before.putAt + 1), false)
      assert.equal(await blobs.del(key, renewed.putAt + 1), true)
      assert.equal(await blobs.has(key), false)
      assert.equal(await blobs.del(key, renewed.putAt + 1), true)
    })

    withStore(
      create,
      'one who puts while it is deleted finds it there afterwards',
      async ({ blobs }, under) => {
        for (let turn = 0; turn < 50; turn++) {
          await blobs.put(key, bytes)
          const [before] = await blobs.list('', 1)
          await under.passTime(1)
          const deletion = blobs.del(key, (before?.putAt ?? 0) + 0.5)
          await blobs.put(key, Readable.from([bytes]))
          await deletion
          assert.equal(await blobs.has(key), true)
        }
      },
    )

    withStore(create, 'refuses keys that are no digest', async ({ blobs }) => {
      for (const bad of ['', '../../etc/passwd', key.toUpperCase(), key.slice(1), `${key}0`]) {
        await assert.rejects(blobs.put(bad, bytes), TypeError)
        assert.equal(await blobs.has(bad), false)
        await assert.rejects(blobs.get(bad), BlobMissing)
        assert.equal(await blobs.path(bad), undefined)
        await blobs.del(bad)
      }
    })

    withStore(create, 'a path, where there is one, leads to the bytes', async ({ blobs }) => {
      await blobs.put(key, bytes)
      const path = await blobs.path(key)
      if (path !== undefined) assert.deepEqual(await readFile(path), bytes)
    })

    withStore(create, 'keeps them when the data is opened again', async ({ blobs }, under) => {
      if (!under.reopen) return
      await blobs.put(key, bytes)
      const again = await under.reopen()
      assert.deepEqual(await collect(await again.blobs.get(key)), bytes)
    })
  })
}
