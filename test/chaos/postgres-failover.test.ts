/** What a store on PostgreSQL has acknowledged is there whatever becomes of its primary, and old owners write nothing. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'

import { Pool } from 'pg'

import { systemClock as clock } from '#kernel/clock.ts'
import { type Lease, type Store, StoreAway } from '#store/port.ts'
import { openPostgresStore } from '#store/postgres/postgres-store.ts'

import { batch, entry, eventually, ownQueues } from '../conformance/store-harness.ts'
import { noPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'

const fenceOf = ({ key, epoch }: Lease) => ({ queue: Number(key), epoch })

/** Appends and writes documents until it is told to stop; what was acknowledged, and what failed otherwise than it may. */
function writer(store: Store, lease: Lease, firstId: bigint) {
  let isOn = true
  let lastAck = clock.monotonic()
  const gaps: number[] = []
  const events: bigint[] = []
  const documents = new Map<string, number>()
  const revs: number[] = []
  const surprises: unknown[] = []
  const loop = async (run: (n: number) => Promise<void>) => {
    for (let n = 0; isOn; n++) {
      try {
        await run(n)
        gaps.push(clock.monotonic() - lastAck)
        lastAck = clock.monotonic()
      } catch (error) {
        if (!(error instanceof StoreAway)) surprises.push(error)
      }
    }
  }
  let held = lease
  const renewal = loop(async () => {
    await wait(200)
    held = (await store.leases.renew([held]))[0] ?? held
  })
  const appends = loop(async (n) => {
    const id = firstId + BigInt(n)
    const { fencedOut } = await store.queueLog.commit(
      batch({ fences: [fenceOf(held)], append: [entry(fenceOf(held).queue, id)] }),
    )
    if (fencedOut.length === 0) events.push(id)
  })
  const writes = loop(async (n) => {
    const key = `${held.key}/${n % 20}`
    const answer = await store.meta.txn([{ key, doc: n }])
    if (answer === 'conflict') return
    documents.set(key, n)
    revs.push(answer.rev)
  })
  return {
    events,
    documents,
    revs,
    surprises,
    worstGapMs: () => Math.max(...gaps),
    async stop() {
      isOn = false
      await Promise.all([renewal, appends, writes])
    },
  }
}

const stored = async (store: Store, queue: number) => {
  const ids = new Set<bigint>()
  for (let after = 0n; ;) {
    const page = await store.queueLog.load(queue, after, 1000)
    for (const { id } of page) ids.add(id)
    const last = page.at(-1)
    if (!last) return ids
    after = last.id
  }
}

describe('PostgreSQL that fails', { skip: noPostgres }, () => {
  let server: PostgresServer
  let standby: PostgresServer | undefined
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.remove())

  it('an owner writes nothing once another has taken over, however their steps interleave', async () => {
    const schema = server.freshSchema()
    const open = () => openPostgresStore({ url: server.url, schema, clock, leaseTtlMs: 60 })
    const nodes = [await open(), await open()]
    await nodes[0]?.leases.define('queue', ['0'])
    let newest = 0
    let nextId = 1n
    const counts = { taken: 0, written: 0, fenced: 0 }
    const until = clock.monotonic() + 2_000
    const run = async (store: Store, seed: number) => {
      let epoch = 0
      for (let turn = seed; clock.monotonic() < until; turn++) {
        if (turn % 7 === 0) {
          const [lease] = await store.leases.acquire('queue', 1)
          if (lease) {
            counts.taken++
            epoch = lease.epoch
            newest = Math.max(newest, epoch)
          }
        }
        const known = newest
        const append = [entry(0, nextId++)]
        const { fencedOut } = await store.queueLog.commit(batch({ fences: [{ queue: 0, epoch }], append }))
        if (fencedOut.length > 0) counts.fenced++
        else {
          counts.written++
          assert.ok(epoch >= known, `epoch ${epoch} wrote although ${known} had begun`)
        }
        // Longer than the lease now and then.
        await wait(turn % 11 === 0 ? 90 : 0)
      }
    }
    await Promise.all(nodes.flatMap((store, n) => [run(store, n), run(store, n + 3)]))
    assert.equal((await stored(nodes[0] ?? assert.fail(), 0)).size, counts.written)
    assert.ok(counts.taken > 4 && counts.written > 20 && counts.fenced > 20, JSON.stringify(counts))
    await Promise.all(nodes.map((store) => store.close()))
  })

  it('revisions of several nodes have no gaps, and every node sees all of them in order', async () => {
    const schema = server.freshSchema()
    const nodes = await Promise.all(
      [1, 2, 3].map(() => openPostgresStore({ url: server.url, schema, clock })),
    )
    const seen = nodes.map(() => new Map<string, number>())
    const last = nodes.map(() => 0)
    for (const [n, { meta }] of nodes.entries()) {
      meta.watch(0, (changes) => {
        for (const { key, rev } of changes) {
          assert.ok(rev >= (last[n] ?? 0), 'a change came out of order')
          last[n] = rev
          seen[n]?.set(key, rev)
        }
      })
    }
    const revs = await Promise.all(
      Array.from({ length: 240 }, async (_, n) => {
        const answer = await nodes[n % 3]?.meta.txn([{ key: `k${n}`, ifRev: 0, doc: n }])
        assert.ok(answer && answer !== 'conflict')
        // Its own node knows at once.
        assert.equal(seen[n % 3]?.get(`k${n}`), answer.rev)
        return answer.rev
      }),
    )
    assert.deepEqual(
      revs.toSorted((a, b) => a - b),
      Array.from({ length: 240 }, (_, n) => n + 1),
    )
    await eventually(() => seen.every((one) => one.size === 240), 'every node has seen every change')
    await Promise.all(nodes.map((store) => store.close()))
  })

  it('without the standby that must confirm, writes are refused in time, and leave no connections behind', async () => {
    standby = await server.addStandby()
    const schema = server.freshSchema()
    const store = await openPostgresStore({
      url: server.url,
      schema,
      clock,
      leaseTtlMs: 30_000,
      deadlineMs: 400,
    })
    const [lease] = await ownQueues(store, 0)
    assert.ok(lease)
    const append = (id: bigint) =>
      store.queueLog.commit(batch({ fences: [fenceOf(lease)], append: [entry(0, id)] }))
    await append(1n)
    await standby.crash()
    const admin = new Pool({ connectionString: server.url, max: 1 })
    for (let n = 0; n < 3; n++) {
      const begun = clock.monotonic()
      await assert.rejects(append(BigInt(10 + n)), StoreAway)
      await assert.rejects(store.meta.txn([{ key: 'a', doc: n }]), StoreAway)
      assert.ok(clock.monotonic() - begun < 2_500, 'it hung')
    }
    const hanging = await admin.query(`select 1 from pg_stat_activity where wait_event = 'SyncRep'`)
    assert.ok(hanging.rows.length <= 2, `${hanging.rows.length} commits hang at the server`)
    await admin.end()
    await standby.start()
    let stored = 0
    for (let n = 0; stored === 0 && n < 50; n++)
      await append(BigInt(100 + n)).then(
        () => stored++,
        () => {},
      )
    assert.equal(stored, 1)
    await store.close()
  })

  it('the primary crashes and its standby takes over: nothing acknowledged is lost', async (t) => {
    assert.ok(standby)
    const schema = server.freshSchema()
    const url = `postgres://postgres@127.0.0.1:${server.port},127.0.0.1:${standby.port}/postgres`
    const store = await openPostgresStore({ url, schema, clock, leaseTtlMs: 30_000 })
    const [lease] = await ownQueues(store, 0)
    assert.ok(lease)
    const seen: number[] = []
    store.meta.watch(0, (changes) => seen.push(...changes.map(({ rev }) => rev)))
    const work = writer(store, lease, 1n)
    await wait(700)
    const before = work.events.length
    await server.crash()
    await wait(300)
    await standby.promote()
    await wait(1_300)
    await work.stop()
    assert.deepEqual(work.surprises, [])
    assert.ok(before > 5 && work.events.length > before + 5, `${before} before, ${work.events.length} in all`)
    const there = await stored(store, 0)
    assert.deepEqual(
      work.events.filter((id) => !there.has(id)),
      [],
    )
    for (const [key, n] of work.documents) {
      const row = await store.meta.get(key)
      assert.ok(row && Number(row.doc) >= n, `${key} has lost ${n}`)
    }
    assert.equal(new Set(work.revs).size, work.revs.length, 'a revision was given twice')
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    )
    t.diagnostic(
      `${before} events before, ${work.events.length} in all; nothing was acknowledged for ${work.worstGapMs().toFixed(0)} ms`,
    )
    await store.close()
  })
})
