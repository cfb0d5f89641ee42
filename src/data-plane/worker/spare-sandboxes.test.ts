import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Sandbox } from '#data-plane/sandbox/port.ts'
import { createSpareSandboxes } from '#data-plane/worker/spare-sandboxes.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
function rig() {
  const living = new Set<string>()
  const spares = createSpareSandboxes({ logger })
  const keep = (owner: string) =>
    spares.keep(owner, async () => {
      living.add(owner)
      return {
        sandbox: { id: owner } as Sandbox,
        destroy: async () => void living.delete(owner),
      }
    })
  return { living, spares, keep }
}

test('spare sandboxes: one for each snapshot, given away once', async () => {
  const { spares, keep, living } = rig()
  await Promise.all([keep('a'), keep('a')])
  assert.equal(spares.take('a')?.sandbox.id, 'a')
  assert.equal(spares.take('a'), undefined)
  assert.deepEqual([...living], ['a'], 'whoever took it destroys it')
})

test('spare sandboxes: the one that was used longest ago makes room', async () => {
  const { spares, keep, living } = rig()
  for (const owner of 'abcdefgh') await keep(owner)
  await keep('a')
  await keep('i')
  assert.equal(living.size, 8)
  assert.ok(!living.has('b'))
  await spares.stop()
  assert.equal(living.size, 0)
  await keep('z')
  assert.equal(living.size, 0)
})

test('spare sandboxes: one that can not be made is none', async () => {
  const { spares } = rig()
  await spares.keep('a', () => Promise.reject(new Error('no networks left')))
  assert.equal(spares.take('a'), undefined)
})
