import assert from 'node:assert/strict'
import { test } from 'node:test'

import { eventInvokeConfigKey, functionKey } from '#contracts/keys.ts'
import { createSettingsLookup } from '#data-plane/pollers/settings-lookup.ts'
import { createDocumentCache } from '#documents/create-document-cache.ts'
import { systemClock } from '#kernel/clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

const id = { account: '000000000000', region: 'us-east-1', name: 'f' }

test('settings lookup: remembers a function, and sees a change of either document at once', async (t) => {
  const { meta } = createMemoryStore({ clock: systemClock })
  let reads = 0
  const counted = { ...meta, get: (key: string) => (reads++, meta.get(key)) }
  const documents = createDocumentCache({ meta: counted })
  await documents.start()
  t.after(() => documents.stop())
  const lookUp = createSettingsLookup(documents)
  assert.deepEqual(await lookUp(id, undefined), {
    maximumRetryAttempts: undefined,
    maximumEventAgeSeconds: undefined,
    onSuccessArn: undefined,
    onFailureArn: undefined,
    reservedConcurrency: undefined,
    deadLetterArn: undefined,
    roleArn: undefined,
  })
  await lookUp(id, undefined)
  assert.equal(reads, 2)
  await meta.txn([{ key: eventInvokeConfigKey(id, '$LATEST'), doc: { maximumRetryAttempts: 0 } }])
  assert.equal((await lookUp(id, undefined)).maximumRetryAttempts, 0)
  await meta.txn([{ key: functionKey(id), doc: { reservedConcurrency: 0 } }])
  assert.equal((await lookUp(id, undefined)).reservedConcurrency, 0)
})

test('settings lookup: a version has settings of its own', async (t) => {
  const { meta } = createMemoryStore({ clock: systemClock })
  const documents = createDocumentCache({ meta })
  await documents.start()
  t.after(() => documents.stop())
  const lookUp = createSettingsLookup(documents)
  await meta.txn([{ key: eventInvokeConfigKey(id, '1'), doc: { maximumEventAgeSeconds: 60 } }])
  assert.equal((await lookUp(id, '1')).maximumEventAgeSeconds, 60)
  assert.equal((await lookUp(id, undefined)).maximumEventAgeSeconds, undefined)
})
