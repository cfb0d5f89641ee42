import assert from 'node:assert/strict'
import { test } from 'node:test'

import { eventInvokeConfigKey, functionKey } from '#contracts/keys.ts'
import { createSettingsLookup } from '#data-plane/pollers/settings-lookup.ts'
import { systemClock } from '#kernel/clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

const id = { account: '000000000000', region: 'us-east-1', name: 'f' }

test('settings lookup: remembers a function, and sees a change of either document at once', async (t) => {
  const { meta } = createMemoryStore({ clock: systemClock })
  let reads = 0
  const counted = { ...meta, get: (key: string) => (reads++, meta.get(key)) }
  const settings = await createSettingsLookup(counted)
  t.after(() => settings.stop())
  assert.deepEqual(await settings.lookUp(id, undefined), {
    maximumRetryAttempts: undefined,
    maximumEventAgeSeconds: undefined,
    reservedConcurrency: undefined,
  })
  await settings.lookUp(id, undefined)
  assert.equal(reads, 2)
  await meta.txn([{ key: eventInvokeConfigKey(id, '$LATEST'), doc: { maximumRetryAttempts: 0 } }])
  assert.equal((await settings.lookUp(id, undefined)).maximumRetryAttempts, 0)
  await meta.txn([{ key: functionKey(id), doc: { reservedConcurrency: 0 } }])
  assert.equal((await settings.lookUp(id, undefined)).reservedConcurrency, 0)
})

test('settings lookup: a version has settings of its own', async (t) => {
  const { meta } = createMemoryStore({ clock: systemClock })
  const settings = await createSettingsLookup(meta)
  t.after(() => settings.stop())
  await meta.txn([{ key: eventInvokeConfigKey(id, '1'), doc: { maximumEventAgeSeconds: 60 } }])
  assert.equal((await settings.lookUp(id, '1')).maximumEventAgeSeconds, 60)
  assert.equal((await settings.lookUp(id, undefined)).maximumEventAgeSeconds, undefined)
})
