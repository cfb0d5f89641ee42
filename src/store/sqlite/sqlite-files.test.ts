/** What only the embedded store has: a directory with files that can be taken, be old, and be damaged. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { type Store, StoreBusy, StoreDamaged, StoreLocked, StoreTooNew } from '#store/port.ts'
import { migrate, MIGRATIONS } from '#store/sqlite/schema.ts'
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts'

async function place(test: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'store-files-'))
  test.after(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'data')
}

const openStore = (directory: string) => openSqliteStore({ directory, clock: createVirtualClock() })

async function filled(directory: string): Promise<Store> {
  const store = await openStore(directory)
  const documents = Array.from({ length: 200 }, (_, n) => ({ key: `k/${n}`, doc: 'x'.repeat(500) }))
  await store.meta.txn(documents)
  return store
}

it('makes everything readable by its owner only', async (test) => {
  const directory = await place(test)
  const store = await filled(directory)
  await store.blobs.put('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', new Uint8Array(0))
  const names = await readdir(directory, { recursive: true, withFileTypes: true })
  assert.ok(names.length > 6)
  assert.equal((await stat(directory)).mode & 0o777, 0o700)
  for (const entry of names) {
    const { mode } = await stat(join(entry.parentPath, entry.name))
    assert.equal(mode & 0o777, entry.isDirectory() ? 0o700 : 0o600, entry.name)
  }
  await store.close()
})

it('a second opening is refused with the process that has it, until the first is closed', async (test) => {
  const directory = await place(test)
  const store = await openStore(directory)
  await assert.rejects(openStore(directory), (error: Error) => {
    assert.ok(error instanceof StoreLocked)
    return error.message.includes(directory) && error.message.includes(String(process.pid))
  })
  await store.close()
  await (await openStore(directory)).close()
})

it('another process is refused while one has the store, and not after a kill -9', async (test) => {
  const directory = await place(test)
  const writer = fileURLToPath(new URL('../../../test/chaos/store-writer.ts', import.meta.url))
  const child: ChildProcess = spawn(process.execPath, ['--conditions=source', writer, directory, 'run'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  test.after(() => child.kill('SIGKILL'))
  assert.ok(child.stdout)
  await once(child.stdout, 'data')
  await assert.rejects(openStore(directory), (error: Error) => {
    return error instanceof StoreLocked && error.message.includes(String(child.pid))
  })
  child.kill('SIGKILL')
  await once(child, 'exit')
  await (await openStore(directory)).close()
})

it('a damaged database is refused, named, and left as it is', async (test) => {
  const damages: Readonly<Record<string, (path: string) => Promise<void>>> = {
    'the header is overwritten': async (path) => {
      await using file = await open(path, 'r+')
      await file.write(Buffer.alloc(64, 'z'), 0, 64, 0)
    },
    'the file is cut short': async (path) => truncate(path, 3 * 4096 + 17),
    'the file is empty': async (path) => truncate(path, 0),
    'the file is missing': async (path) => rm(path),
    'pages in the middle are overwritten': async (path) => {
      await using file = await open(path, 'r+')
      await file.write(Buffer.alloc(4 * 4096, 0xff), 0, 4 * 4096, 4 * 4096)
    },
  }
  for (const [name, damage] of Object.entries(damages)) {
    const directory = join(await place(test), name)
    await mkdir(directory, { recursive: true })
    await (await filled(directory)).close()
    const path = join(directory, 'store.db')
    await damage(path)
    const before = await readFile(path).catch(() => undefined)
    await assert.rejects(openStore(directory), (error: Error) => {
      assert.ok(error instanceof StoreDamaged, `${name}: ${error.message}`)
      return error.message.includes(path) && /restore it from a backup/.test(error.message)
    })
    assert.deepEqual(await readFile(path).catch(() => undefined), before, name)
  }
})

it('damage that shows up while the store is open stops it instead of going on', async (test) => {
  const directory = await place(test)
  const filling = await openStore(directory)
  // More than the page cache holds, so that reading it all must go to the file.
  const large = Array.from({ length: 1500 }, (_, n) => ({ key: `large/${n}`, doc: `${n}`.repeat(4000) }))
  await filling.meta.txn(large)
  await filling.close()
  const store = await openStore(directory)
  {
    await using file = await open(join(directory, 'store.db'), 'r+')
    const { size } = await file.stat()
    await file.write(Buffer.alloc(size - 4096, 0xff), 0, size - 4096, 4096)
  }
  await assert.rejects(store.meta.list('', '', 10_000), StoreDamaged)
  await assert.rejects(store.meta.txn([{ key: 'k/2', doc: 1 }]), StoreDamaged)
  await assert.rejects(store.meta.get('k/2'), StoreDamaged)
  await store.close()
})

it("another program's database is left alone", async (test) => {
  const directory = await place(test)
  await mkdir(directory)
  const foreign = new DatabaseSync(join(directory, 'store.db'))
  foreign.exec('create table notes (text)')
  foreign.close()
  await assert.rejects(openStore(directory), StoreDamaged)
})

it('a store from the future is refused', async (test) => {
  const directory = await place(test)
  await (await filled(directory)).close()
  const database = new DatabaseSync(join(directory, 'store.db'))
  database.exec(`pragma user_version = ${MIGRATIONS.length + 1}`)
  database.close()
  await assert.rejects(openStore(directory), (error: Error) => {
    return error instanceof StoreTooNew && error.message.includes(`schema ${MIGRATIONS.length + 1}`)
  })
})

/** Schema 1 as it was released. Frozen: it stands for files that lie on somebody's disk. */
const SCHEMA_1 = `
  create table state (name text primary key, value integer not null) strict, without rowid;
  create table meta (key text not null unique, rev integer not null, doc text not null) strict;
  create index meta_by_rev on meta (rev);
  create table tombstone (key text not null unique, rev integer not null) strict;
  create index tombstone_by_rev on tombstone (rev);
  create table log (id integer primary key, queue integer not null, visible_at integer not null,
    head text not null, payload blob not null) strict;
  create index log_by_queue on log (queue, id);
  create table lease (kind text not null, key text not null, epoch integer not null, primary key (kind, key))
    strict, without rowid;
  insert into state values ('rev', 5);
  insert into meta values ('a', 3, '{"n":1}'), ('b', 5, 'true');
  insert into tombstone values ('c', 4);
  insert into log values (4096, 0, 77, '{}', x'0102');
  insert into lease values ('queue', '0', 9);
  pragma user_version = 1;
  pragma application_id = ${0x4c4d4254};
`

it('a store of schema 1 opens with everything in it', async (test) => {
  const directory = await place(test)
  await mkdir(directory)
  const database = new DatabaseSync(join(directory, 'store.db'))
  database.exec(SCHEMA_1)
  database.close()
  const store = await openStore(directory)
  assert.deepEqual(await store.meta.list('', '', 9), [
    { key: 'a', rev: 3, doc: { n: 1 } },
    { key: 'b', rev: 5, doc: true },
  ])
  assert.deepEqual(await store.meta.txn([{ key: 'd', doc: 0 }]), { rev: 6 })
  const [entry] = await store.queueLog.load(0, 0n, 9)
  assert.deepEqual([entry?.id, entry?.visibleAt, [...(entry?.payload ?? [])]], [4096n, 77, [1, 2]])
  assert.equal((await store.leases.acquire('queue', 1))[0]?.epoch, 10)
  await store.close()
})

it('migrations run in one transaction: all of them or none', async (test) => {
  const path = join(await place(test), '..', 'store.db')
  const database = new DatabaseSync(path)
  test.after(() => database.close())
  assert.equal(migrate(database, path, MIGRATIONS.slice(0, 1)), 0)
  const version = () => database.prepare('pragma user_version').get()?.['user_version']
  const broken = [...MIGRATIONS.slice(0, 1), 'alter table meta add column extra text', 'no such statement']
  assert.throws(() => migrate(database, path, broken))
  assert.equal(version(), 1)
  assert.throws(() => database.prepare('select extra from meta'))
  assert.equal(migrate(database, path, broken.slice(0, 2)), 1)
  assert.equal(version(), 2)
  database.prepare('select extra from meta')
})

it('sweeps the unfinished files of blobs when it opens', async (test) => {
  const directory = await place(test)
  await (await openStore(directory)).close()
  const left = join(directory, 'blobs', 'tmp', '1')
  await writeFile(left, 'half a package')
  const store = await openStore(directory)
  assert.deepEqual(await readdir(join(directory, 'blobs', 'tmp')), [])
  await store.close()
})

it('commits that arrive together all succeed, and more than the bound are refused', async (test) => {
  const directory = await place(test)
  const store = await openStore(directory)
  const answers = await Promise.allSettled(
    Array.from({ length: 20_100 }, (_, n) => store.meta.txn([{ key: `k${n % 10}`, doc: n }])),
  )
  const refused = answers.filter((answer) => answer.status === 'rejected')
  assert.equal(refused.length, 100)
  for (const { reason } of refused) assert.ok(reason instanceof StoreBusy)
  assert.equal(await store.meta.rev(), 20_000)
  await store.close()
})

it('an unreadable directory is an error with a reason, not a new store', async (test) => {
  const directory = await place(test)
  await writeFile(directory, 'a file at the place of the directory')
  await assert.rejects(openStore(directory))
  await chmod(directory, 0o600)
})
