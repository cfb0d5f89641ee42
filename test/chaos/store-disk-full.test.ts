/** A full disk: refusals, no lost acknowledgement, and work goes on once there is room again. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'

import { systemClock as clock } from '#kernel/clock.ts'
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts'

it('refuses writes on a full disk, keeps what it acknowledged, and recovers', async (test) => {
  const folder = mkdtempSync(join(tmpdir(), 'store-full-'))
  const undo = [() => rmSync(folder, { recursive: true, force: true })]
  test.after(() => undo.toReversed().forEach((step) => step()))
  const disk = join(folder, 'disk')
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', disk], { stdio: 'pipe' })
  } catch (error) {
    test.skip(`a small disk cannot be mounted here: ${String(error).split('\n')[0]}`)
    return
  }
  undo.push(() => execFileSync('umount', ['--lazy', disk]))
  const ballast = join(disk, 'ballast')
  writeFileSync(ballast, Buffer.alloc(4 * 1024 * 1024))
  const directory = join(disk, 'data')
  const store = await openSqliteStore({ directory, clock })
  const acknowledged: string[] = []
  let refused = 0
  for (let n = 0; refused < 3; n++) {
    assert.ok(n < 1000, 'the disk never filled up')
    await store.meta.txn([{ key: `k${n}`, doc: 'x'.repeat(100_000) }]).then(
      () => acknowledged.push(`k${n}`),
      () => refused++,
    )
  }
  const bytes = Buffer.alloc(1_000_000, 'b')
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  await assert.rejects(store.blobs.put(sha256, bytes))
  assert.equal(await store.blobs.has(sha256), false)
  for (const key of acknowledged) assert.ok(await store.meta.get(key))

  rmSync(ballast)
  await store.blobs.put(sha256, bytes)
  assert.deepEqual(await store.meta.txn([{ key: 'after', doc: 1 }]), { rev: acknowledged.length + 1 })
  await store.close()
  const again = await openSqliteStore({ directory, clock })
  for (const key of [...acknowledged, 'after']) assert.ok(await again.meta.get(key), `${key} is lost`)
  await again.close()
})
