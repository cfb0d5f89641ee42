import assert from 'node:assert/strict'
import { describe } from 'node:test'

import { type CreateStore, withStore } from './store-harness.ts'

export function describeLeases(create: CreateStore): void {
  describe('leases', () => {
    withStore(create, 'gives out nothing that was not declared', async ({ leases }) => {
      await leases.define('poller', ['a'])
      assert.deepEqual(await leases.acquire('queue', 10), [])
    })

    withStore(create, 'gives each lease to one holder, up to `max`', async ({ leases }, { other }) => {
      await leases.define('queue', ['0', '1', '2', '3'])
      const [one, two] = await Promise.all([
        leases.acquire('queue', 3),
        (other?.leases ?? leases).acquire('queue', 3),
      ])
      const keys = [...one, ...two].map((lease) => lease.key)
      assert.equal(new Set(keys).size, keys.length)
      const rest = await leases.acquire('queue', 10)
      assert.equal(keys.length + rest.length, 4)
      assert.ok(one.length <= 3 && two.length <= 3)
      assert.deepEqual(await leases.acquire('queue', 10), [])
    })

    withStore(create, 'gives out only those that are asked for', async ({ leases }) => {
      await leases.define('queue', ['0', '1', '2'])
      const keysOf = async (max: number, among: readonly string[]) =>
        (await leases.acquire('queue', max, among)).map((lease) => lease.key)
      assert.deepEqual(await keysOf(5, ['1', '9', '1']), ['1'])
      assert.deepEqual(await keysOf(5, ['1']), [])
      assert.deepEqual(await keysOf(5, []), [])
      assert.equal((await keysOf(1, ['0', '2'])).length, 1)
    })

    withStore(create, 'declaring again changes nothing', async ({ leases }) => {
      await leases.define('queue', ['0'])
      const [held] = await leases.acquire('queue', 1)
      await leases.define('queue', ['0', '1'])
      assert.deepEqual(
        (await leases.acquire('queue', 5)).map((lease) => lease.key),
        ['1'],
      )
      assert.ok(held)
      assert.equal((await leases.renew([held])).length, 1)
    })

    withStore(create, 'the epoch grows when a lease changes hands', async ({ leases }, { expireLeases }) => {
      await leases.define('queue', ['0'])
      const [first] = await leases.acquire('queue', 1)
      assert.ok(first && first.epoch >= 1 && first.kind === 'queue')
      await leases.release(first)
      const [second] = await leases.acquire('queue', 1)
      assert.ok(second && second.epoch > first.epoch)
      await expireLeases()
      const [third] = await leases.acquire('queue', 1)
      assert.ok(third && third.epoch > second.epoch)
    })

    withStore(
      create,
      'renews what is held and leaves out what is lost',
      async ({ leases }, { expireLeases }) => {
        await leases.define('queue', ['0', '1'])
        const held = await leases.acquire('queue', 2)
        const renewed = await leases.renew(held)
        assert.deepEqual(
          renewed.map(({ key, epoch }) => [key, epoch]),
          held.map(({ key, epoch }) => [key, epoch]),
        )
        for (const [n, lease] of renewed.entries()) assert.ok(lease.until >= (held[n]?.until ?? Infinity))
        await expireLeases()
        await leases.acquire('queue', 1)
        assert.deepEqual(await leases.renew(renewed), [])
      },
    )

    withStore(create, 'releasing a lease that was lost disturbs nobody', async ({ leases }) => {
      await leases.define('queue', ['0'])
      const [old] = await leases.acquire('queue', 1)
      assert.ok(old)
      await leases.release(old)
      const [held] = await leases.acquire('queue', 1)
      assert.ok(held)
      await leases.release(old)
      assert.equal((await leases.renew([held])).length, 1)
      assert.deepEqual(await leases.acquire('queue', 1), [])
    })

    withStore(create, 'a restart frees all leases, and epochs go on growing', async ({ leases }, under) => {
      if (!under.reopen) return
      await leases.define('queue', ['0'])
      const [before] = await leases.acquire('queue', 1)
      const again = await under.reopen()
      await under.expireLeases()
      const [after] = await again.leases.acquire('queue', 1)
      assert.ok(before && after && after.epoch > before.epoch)
    })
  })
}

export function describeNodes(create: CreateStore): void {
  describe('nodes', () => {
    withStore(create, 'lists each node once, with what it said last', async ({ nodes }, { other }) => {
      await nodes.beat({ nodeId: 'n1', address: '10.0.0.1:9001', info: { load: 1 } })
      await (other?.nodes ?? nodes).beat({ nodeId: 'n2', address: '10.0.0.2:9001', info: null })
      await nodes.beat({ nodeId: 'n1', address: '10.0.0.1:9001', info: { load: 2 } })
      const listed = [...(await nodes.list(60_000))].toSorted((a, b) => (a.nodeId < b.nodeId ? -1 : 1))
      assert.deepEqual(listed, [
        { nodeId: 'n1', address: '10.0.0.1:9001', info: { load: 2 } },
        { nodeId: 'n2', address: '10.0.0.2:9001', info: null },
      ])
    })

    withStore(create, 'leaves out nodes that have left, until they beat again', async ({ nodes }) => {
      const beat = (nodeId: string) => nodes.beat({ nodeId, address: 'a', info: null })
      await beat('one')
      await beat('two')
      await nodes.leave('one')
      await nodes.leave('never there')
      const ids = async () => (await nodes.list(60_000)).map((node) => node.nodeId).toSorted()
      assert.deepEqual(await ids(), ['two'])
      await beat('one')
      assert.deepEqual(await ids(), ['one', 'two'])
    })

    withStore(create, 'leaves out nodes that have fallen silent', async ({ nodes }, { passTime }) => {
      await nodes.beat({ nodeId: 'old', address: 'a', info: null })
      await passTime(1000)
      await nodes.beat({ nodeId: 'new', address: 'b', info: null })
      assert.deepEqual(
        (await nodes.list(500)).map((node) => node.nodeId),
        ['new'],
      )
    })
  })
}
