import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createEnvironmentVault } from '#contracts/environment-vault.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { createSealer } from '#kernel/sealed.ts'

import { createTestKeys } from '../../../test/support/customer-keys.ts'
import { changedVariables, sealVariables, variablesFor } from './environment.ts'

const id = { account: '000000000000', region: 'us-east-1', name: 'fn' }
const { keys, kms } = createTestKeys()
const sealer = createSealer(new Uint8Array(32).fill(1))
const vault = createEnvironmentVault({ sealer, keys })
const other = createEnvironmentVault({ sealer: createSealer(new Uint8Array(32).fill(2)), keys })

const plain = (variables: Readonly<Record<string, string>>) => ({ variables, kmsKeyArn: undefined })
const version = (sealedEnvironment: string, kmsKeyArn?: string) =>
  ({ ...id, sealedEnvironment, ...(kmsKeyArn && { kmsKeyArn }) }) as FunctionVersion
const caller = { principal: { account: id.account, arn: 'arn', accessKeyId: 'id' }, region: id.region }
const shown = async (sealed: string, environments = vault, name = 'fn') =>
  await variablesFor({ environments, keyReaders: undefined }, caller)({ ...version(sealed), name })
const newKey = async () => {
  const { KeyMetadata } = (await kms('CreateKey', {})) as { KeyMetadata: { KeyId: string; Arn: string } }
  return KeyMetadata
}

test('the same variables keep their sealed text, others get a new one', async () => {
  const sealed = await sealVariables(vault, id, plain({ KEY: 'value' }))
  const before = { sealedEnvironment: sealed }
  assert.equal(await sealVariables(vault, id, plain({ KEY: 'value' }), before), sealed)
  assert.notEqual(await sealVariables(vault, id, plain({ KEY: 'other' }), before), sealed)
  assert.deepEqual(await shown(sealed), { Variables: { KEY: 'value' } })
})

test('variables do not open for another function, with another key, or when they were changed', async () => {
  const sealed = await sealVariables(vault, id, plain({ KEY: 'value' }))
  for (const hidden of [
    await shown(sealed, vault, 'other'),
    await shown(sealed, other),
    await shown(`AAAA${sealed.slice(4)}`),
  ]) {
    assert.equal(hidden?.Error?.ErrorCode, 'KMSInvalidStateException')
    assert.equal(hidden?.Variables, undefined)
  }
})

test('variables whose key is lost can be set anew', async () => {
  const lost = await sealVariables(other, id, plain({ KEY: 'value' }))
  const sealed = await sealVariables(vault, id, plain({ KEY: 'value' }), { sealedEnvironment: lost })
  assert.deepEqual(await shown(sealed), { Variables: { KEY: 'value' } })
})

test("under a customer's key they rest encrypted twice, and open only while the key can be used", async () => {
  const { KeyId, Arn } = await newKey()
  const sealed = await sealVariables(vault, id, { variables: { KEY: 'secret' }, kmsKeyArn: Arn })
  assert.ok(!sealer.open(sealed, 'env/000000000000/us-east-1/fn').includes('secret'))
  assert.deepEqual(await shown(sealed), { Variables: { KEY: 'secret' } })
  assert.equal(
    await sealVariables(vault, id, { variables: { KEY: 'secret' }, kmsKeyArn: Arn }, version(sealed, Arn)),
    sealed,
  )
  await kms('DisableKey', { KeyId })
  assert.deepEqual(await shown(sealed), {
    Error: {
      ErrorCode: 'DisabledException',
      Message: `Lambda was unable to decrypt your environment variables because the KMS key used is disabled. Please check your KMS key settings. KMS Exception: DisabledException KMS Message: ${Arn} is disabled.`,
    },
  })
})

test('a change of the key encrypts anew what is there; no change keeps it', async () => {
  const [first, second] = [await newKey(), await newKey()]
  const sealed = await sealVariables(vault, id, { variables: { KEY: 'secret' }, kmsKeyArn: first.Arn })
  const before = version(sealed, first.Arn)
  const change = (kmsKeyArn: string | undefined) =>
    changedVariables(vault, before, { variables: undefined, kmsKeyArn })
  assert.equal(await change(undefined), undefined)
  assert.equal(await change(first.Arn), undefined)
  const moved = await change(second.Arn)
  const freed = await change('')
  await kms('DisableKey', { KeyId: first.KeyId })
  assert.deepEqual(await shown(moved ?? ''), { Variables: { KEY: 'secret' } })
  assert.deepEqual(await shown(freed ?? ''), { Variables: { KEY: 'secret' } })
  await assert.rejects(change(''), { code: 'InvalidParameterValueException' })
})
