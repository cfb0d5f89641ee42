import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createExecutionKeys } from '#data-plane/durable/execution-keys.ts'
import type { Json } from '#kernel/json.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

import { createTestKeys } from '../../../test/support/customer-keys.ts'

const where = { account: '000000000000', region: 'us-east-1', name: 'fn' }
const settings = { executionTimeoutSeconds: 1, retentionDays: 1 }

async function withKey() {
  const { keys, kms } = createTestKeys()
  const { KeyMetadata } = (await kms('CreateKey', {})) as { KeyMetadata: { KeyId: string; Arn: string } }
  const clock = createVirtualClock()
  const executionKeys = createExecutionKeys({ keys, clock })
  const head = { id: 'one', function: where, settings: { ...settings, kmsKeyArn: KeyMetadata.Arn } }
  const dataKey = await executionKeys.create(head)
  assert.ok(dataKey)
  return { keys, kms, clock, executionKeys, keyId: KeyMetadata.KeyId, head: { ...head, dataKey } }
}

test('without a key documents stay as they are', async () => {
  const { executionKeys } = await withKey()
  const head = { id: 'plain', function: where, settings }
  assert.equal(await executionKeys.create(head), undefined)
  const seal = await executionKeys.sealOf(head)
  assert.deepEqual(seal.seal({ input: 'secret' }, 'place'), { input: 'secret' })
})

test('with one they are sealed, each for its place, and open in another process too', async () => {
  const { keys, clock, executionKeys, head } = await withKey()
  const sealed = (await executionKeys.sealOf(head)).seal({ input: 'secret' }, 'place')
  assert.ok(!JSON.stringify(sealed).includes('secret'))
  const later = await createExecutionKeys({ keys, clock }).sealOf(head)
  assert.deepEqual(later.open(sealed, 'place'), { input: 'secret' })
  assert.throws(() => later.open(sealed, 'other place'))
  assert.throws(() =>
    later.open({ sealed: `AAAA${String((sealed as { sealed: Json }).sealed).slice(4)}` }, 'place'),
  )
})

test("a disabled key ends it within minutes, and at once for another execution's data key", async () => {
  const { kms, clock, executionKeys, keyId, head } = await withKey()
  await executionKeys.sealOf(head)
  await kms('DisableKey', { KeyId: keyId })
  await executionKeys.sealOf(head)
  await clock.advance(5 * 60_000)
  await assert.rejects(async () => await executionKeys.sealOf(head), {
    code: 'KMSDisabledException',
    status: 502,
  })
  await kms('EnableKey', { KeyId: keyId })
  await executionKeys.sealOf(head)
  await assert.rejects(async () => await executionKeys.sealOf({ ...head, id: 'two' }), {
    code: 'KMSInvalidStateException',
  })
})
