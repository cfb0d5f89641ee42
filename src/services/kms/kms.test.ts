import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'
import { ALL_KMS_KEYS } from '#contracts/kms.ts'
import { seededRandom } from '#kernel/random.ts'
import { createSealer } from '#kernel/sealed.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import type { OperationHandler, RequestContext } from '#wire/service.ts'

import { createKmsService } from './create-kms-service.ts'

const SCOPE = { account: '123456789012', region: 'eu-west-1' }
const logger = { debug() {}, info() {}, warn() {}, error() {} }
const DAY_MS = 86_400_000
const PLAIN = new TextEncoder().encode('DB_PASSWORD=hunter2')

async function rig() {
  const clock = createVirtualClock()
  const { meta } = createMemoryStore({ clock })
  const sealer = createSealer(Buffer.alloc(32, 3))
  const kms = createKmsService({ meta, sealer, clock, random: seededRandom(9), logger })
  await kms.start()
  const call = async (operation: string, input: object) => {
    const handler = kms.handlers[operation] as OperationHandler<object, Record<string, unknown>> | undefined
    assert.ok(handler)
    return handler(input, { ...SCOPE, principal: {} } as unknown as RequestContext)
  }
  const createKey = async (input: object = {}) => {
    const { KeyMetadata } = await call('CreateKey', input)
    return (KeyMetadata as { KeyId: string }).KeyId
  }
  return { clock, meta, kms, call, createKey }
}

const codeOf = async (run: Promise<unknown>) => {
  try {
    await run
  } catch (error) {
    return error instanceof LambdaError ? error.code : String(error)
  }
  return undefined
}

test('kms: services encrypt and decrypt by key, ARN and alias, with the context bound', async () => {
  const { kms, call, createKey } = await rig()
  const id = await createKey()
  await call('CreateAlias', { AliasName: 'alias/env', TargetKeyId: id })
  const arn = `arn:aws:kms:eu-west-1:123456789012:key/${id}`
  const context = { LambdaFunctionName: 'f' }
  for (const keyId of [id, arn, 'alias/env', 'arn:aws:kms:eu-west-1:123456789012:alias/env']) {
    const sealed = await kms.keys.encrypt(SCOPE, { keyId, plaintext: PLAIN, context })
    assert.equal(sealed.keyArn, arn)
    const opened = await kms.keys.decrypt(SCOPE, { ciphertext: sealed.ciphertext, context })
    assert.deepEqual(Buffer.from(opened.plaintext), Buffer.from(PLAIN))
    assert.equal(
      await codeOf(
        kms.keys.decrypt(SCOPE, { ciphertext: sealed.ciphertext, context: { LambdaFunctionName: 'g' } }),
      ),
      'InvalidCiphertextException',
    )
  }
})

test('kms: a ciphertext of one account or region is nothing in another', async () => {
  const { kms, createKey } = await rig()
  const { ciphertext } = await kms.keys.encrypt(SCOPE, { keyId: await createKey(), plaintext: PLAIN })
  for (const other of [
    { ...SCOPE, region: 'us-east-1' },
    { ...SCOPE, account: '000000000000' },
  ]) {
    assert.equal(await codeOf(kms.keys.decrypt(other, { ciphertext })), 'InvalidCiphertextException')
  }
})

test('kms: every changed byte of a ciphertext is noticed', async () => {
  const { kms, createKey } = await rig()
  const { ciphertext } = await kms.keys.encrypt(SCOPE, { keyId: await createKey(), plaintext: PLAIN })
  for (let at = 0; at < ciphertext.byteLength; at++) {
    const changed = Uint8Array.from(ciphertext)
    changed[at] = (changed[at] ?? 0) ^ 0x40
    assert.equal(await codeOf(kms.keys.decrypt(SCOPE, { ciphertext: changed })), 'InvalidCiphertextException')
    const short = ciphertext.subarray(0, at)
    assert.equal(await codeOf(kms.keys.decrypt(SCOPE, { ciphertext: short })), 'InvalidCiphertextException')
  }
})

test('kms: a key is gone on the day that was announced, with its aliases', async () => {
  const { clock, meta, kms, call, createKey } = await rig()
  const id = await createKey()
  const kept = await createKey({ MultiRegion: true })
  assert.match(kept, /^mrk-[0-9a-f]{32}$/)
  await call('CreateAlias', { AliasName: 'alias/going', TargetKeyId: id })
  await call('CreateAlias', { AliasName: 'alias/staying', TargetKeyId: kept })
  await call('ScheduleKeyDeletion', { KeyId: id, PendingWindowInDays: 7 })
  await clock.advance(7 * DAY_MS - 1000)
  assert.equal(await codeOf(call('DescribeKey', { KeyId: id })), undefined)
  await clock.advance(1000)
  assert.equal(await codeOf(call('DescribeKey', { KeyId: id })), 'NotFoundException')
  assert.equal(await codeOf(call('CancelKeyDeletion', { KeyId: id })), 'NotFoundException')
  assert.equal(((await call('ListKeys', {}))['Keys'] as unknown[]).length, 1)
  await clock.advance(2 * 3_600_000)
  assert.equal((await meta.list(ALL_KMS_KEYS, '', 10)).length, 1)
  const { Aliases } = await call('ListAliases', {})
  assert.deepEqual(
    (Aliases as { AliasName: string }[]).map(({ AliasName }) => AliasName),
    ['alias/staying'],
  )
  await kms.stop()
  assert.equal(clock.pendingTimers, 0)
})

test('kms: lists are paged, and a marker that nobody gave is refused', async () => {
  const { call, createKey } = await rig()
  const made = [await createKey(), await createKey(), await createKey()].toSorted()
  const seen: string[] = []
  let Marker: unknown
  do {
    const page = await call('ListKeys', { Limit: 2, Marker })
    seen.push(...(page['Keys'] as { KeyId: string }[]).map(({ KeyId }) => KeyId))
    assert.equal(page['Truncated'], page['NextMarker'] !== undefined)
    Marker = page['NextMarker']
  } while (Marker !== undefined)
  assert.deepEqual(seen, made)
  assert.equal(await codeOf(call('ListKeys', { Marker: '***' })), 'InvalidMarkerException')
})
