import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aliasKey, provisionedConcurrencyKey, provisionedStateKey, versionKey } from '#contracts/keys.ts'
import type { ReadyState, ReadyTarget } from '#data-plane/placement/port.ts'
import { createProvisioning } from '#data-plane/provisioning/create-provisioning.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import type { Meta, MetaWrite } from '#store/port.ts'

import { aVersion, ID } from '../../../test/support/function-version.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

async function setup(stored: readonly MetaWrite[] = [], change: (meta: Meta) => Meta = (meta) => meta) {
  const clock = createVirtualClock()
  const { meta } = createMemoryStore({ clock })
  /** What placement is asked for last, by version. */
  const targets = new Map<string, ReadyTarget>()
  const asked: string[] = []
  const counted = new Map<string, number>()
  const version = (number: string) => ({
    key: versionKey(ID, number),
    doc: { ...aVersion({ version: number }) } as unknown as NonNullable<MetaWrite['doc']>,
  })
  await meta.txn([version('1'), version('2'), ...stored])
  const provisioning = createProvisioning({
    meta: change(meta),
    placement: {
      keepReady(target) {
        targets.set(target.version.version, target)
        asked.push(`${target.version.version}:${target.count}`)
      },
    },
    counting: { setProvisioned: (_id, number, ready) => void counted.set(number, ready) },
    clock,
    logger: quiet,
  })
  await provisioning.start()
  const write = async (...writes: readonly MetaWrite[]) => {
    await meta.txn(writes)
    await settle()
  }
  return {
    clock,
    meta,
    provisioning,
    asked,
    counted,
    write,
    async tell(number: string, state: Partial<ReadyState>) {
      const target = targets.get(number)
      assert.ok(target, `version ${number} was asked for`)
      target.onChange?.({ wanted: target.count, starting: 0, ready: 0, ...state })
      await settle()
    },
    async said(qualifier: string) {
      const doc = (await meta.get(provisionedStateKey(ID, qualifier)))?.doc as unknown as
        | { status: string; allocated: number; available: number; token: string }
        | undefined
      return doc && `${doc.status} ${doc.allocated}/${doc.available} ${doc.token}`
    },
  }
}

const config = (qualifier: string, requested: number, token = 't1'): MetaWrite => ({
  key: provisionedConcurrencyKey(ID, qualifier),
  doc: { ...ID, qualifier, requested, token, modifiedAt: 0 },
})
const alias = (version: string, more: object = {}): MetaWrite => ({
  key: aliasKey(ID, 'live'),
  doc: { ...ID, alias: 'live', version, description: '', revisionId: 'r', ...more },
})

test('provisioning: what is configured is asked for, counted, and said in the store', async () => {
  const { write, asked, tell, said, counted, meta } = await setup()
  await write(config('1', 2))
  assert.deepEqual(asked, ['1:2'])
  assert.equal(await said('1'), 'IN_PROGRESS 0/0 t1')
  await tell('1', { starting: 1, ready: 1 })
  assert.equal(await said('1'), 'IN_PROGRESS 2/1 t1')
  assert.equal(counted.get('1'), 1)
  await tell('1', { ready: 2 })
  assert.equal(await said('1'), 'READY 2/2 t1')
  const before = await meta.rev()
  await tell('1', { ready: 2 })
  assert.equal(await meta.rev(), before, 'nothing is written twice')
  await write(config('1', 1, 't2'))
  assert.equal(await said('1'), 'READY 1/1 t2')
  await tell('1', { ready: 2 })
  assert.equal(counted.get('1'), 1, 'no more is counted than is wanted')
  await write({ key: provisionedConcurrencyKey(ID, '1'), doc: null })
  assert.deepEqual(asked, ['1:2', '1:1', '1:0'])
  assert.equal(counted.get('1'), 0)
  assert.equal(await said('1'), undefined)
})

test('provisioning: an alias that moves has both versions until it has arrived', async () => {
  const { write, asked, tell, said, counted } = await setup()
  await write(config('live', 1), alias('1'))
  await tell('1', { ready: 1 })
  assert.equal(await said('live'), 'READY 1/1 t1')
  const old = { additionalVersion: { version: '1', weight: 1 }, moving: true }
  await write(alias('2', old))
  assert.deepEqual(asked, ['1:1', '2:1'])
  assert.equal(await said('live'), 'IN_PROGRESS 1/1 t1')
  await tell('2', { ready: 1 })
  assert.equal(await said('live'), 'READY 2/2 t1')
  await write(alias('2'))
  assert.deepEqual(asked, ['1:1', '2:1', '1:0'])
  assert.equal(await said('live'), 'READY 1/1 t1')
  assert.deepEqual([counted.get('1'), counted.get('2')], [0, 1])
  await tell('1', { ready: 1 })
  assert.equal(counted.get('1'), 0, 'what is let go is not listened to')
})

test('provisioning: at the start it takes up what is stored, and says nothing that is not true any more', async () => {
  const state = (qualifier: string): MetaWrite => ({
    key: provisionedStateKey(ID, qualifier),
    doc: { ...ID, qualifier, token: 't1', version: '1', allocated: 1, available: 1, status: 'READY' },
  })
  const { asked, said } = await setup([config('1', 1), state('1'), state('gone')])
  assert.deepEqual(asked, ['1:1'])
  assert.equal(await said('1'), 'IN_PROGRESS 0/0 t1')
  assert.equal(await said('gone'), undefined)
})

test('provisioning: a function made anew under the same name gets environments of its own', async () => {
  const { write, asked, tell, said } = await setup()
  await write(config('1', 1))
  await tell('1', { ready: 1 })
  const doc = { ...aVersion({ version: '1', generation: 'another' }) } as unknown as NonNullable<
    MetaWrite['doc']
  >
  await write({ key: versionKey(ID, '1'), doc }, config('1', 1, 't2'))
  assert.deepEqual(asked, ['1:1', '1:0', '1:1'])
  assert.equal(await said('1'), 'IN_PROGRESS 0/0 t2')
})

test('provisioning: it tries again when the store fails', async () => {
  let failures = 2
  const { write, clock, said } = await setup([], (meta) => ({
    ...meta,
    txn: (writes) => (failures-- > 0 ? Promise.reject(new Error('busy')) : meta.txn(writes)),
  }))
  await write(config('1', 1))
  assert.equal(await said('1'), undefined)
  for (let n = 0; n < 2; n++) {
    await clock.advance(1000)
    await settle()
  }
  assert.equal(await said('1'), 'IN_PROGRESS 0/0 t1')
})

test('provisioning: a stop lets go of everything, and then nothing is asked for and nothing is said', async () => {
  const { write, provisioning, asked, tell, said } = await setup([config('1', 1)])
  await provisioning.stop()
  await tell('1', { ready: 1 })
  await write(config('2', 1))
  assert.deepEqual(asked, ['1:1', '1:0'])
  assert.equal(await said('1'), 'IN_PROGRESS 0/0 t1')
})
