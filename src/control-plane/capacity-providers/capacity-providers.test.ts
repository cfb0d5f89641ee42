import assert from 'node:assert/strict'
import { test } from 'node:test'

import { capacityProviderKey } from '#contracts/keys.ts'

import { createControlPlane, SCOPE } from '../../../test/support/control-plane.ts'

const OPERATOR = 'arn:aws:iam::000000000000:role/operator'
const arnOf = (name: string) => `arn:aws:lambda:us-east-1:000000000000:capacity-provider:${name}`
const INPUT = {
  CapacityProviderName: 'group',
  VpcConfig: { SubnetIds: ['subnet-1', 'subnet-2'], SecurityGroupIds: ['sg-1'] },
  PermissionsConfig: { CapacityProviderOperatorRoleArn: OPERATOR },
}
const CapacityProviderName = 'group'
const NOT_FOUND = {
  code: 'ResourceNotFoundException',
  message: `Capacity provider not found: ${arnOf('group')}`,
  status: 404,
}

const withProvider = async (more: object = {}) => {
  const plane = createControlPlane()
  const created = await plane.call('CreateCapacityProvider', { ...INPUT, ...more })
  await plane.settle()
  return { ...plane, created: created.CapacityProvider }
}

test('capacity providers: Pending when created, Active soon after, with what AWS adds', async () => {
  const { created, call } = await withProvider()
  const expected = {
    CapacityProviderArn: arnOf('group'),
    State: 'Pending',
    VpcConfig: INPUT.VpcConfig,
    PermissionsConfig: INPUT.PermissionsConfig,
    InstanceRequirements: { Architectures: ['x86_64'] },
    CapacityProviderScalingConfig: { MaxVCpuCount: 400, ScalingMode: 'Auto' },
    LastModified: created.LastModified,
  }
  assert.deepEqual(created, expected)
  assert.match(created.LastModified, /^\d{4}-\d\d-\d\dT[\d:.]+\+0000$/)
  const active = { CapacityProvider: { ...expected, State: 'Active' } }
  assert.deepEqual(await call('GetCapacityProvider', { CapacityProviderName }), active)
  assert.deepEqual(await call('GetCapacityProvider', { CapacityProviderName: arnOf('group') }), active)
})

test('capacity providers: unknown ones, those of others and those that exist are told apart', async () => {
  const { fail, call, settle } = createControlPlane()
  for (const operation of [
    'GetCapacityProvider',
    'UpdateCapacityProvider',
    'DeleteCapacityProvider',
    'ListFunctionVersionsByCapacityProvider',
  ]) {
    assert.deepEqual(await fail(operation, { CapacityProviderName }), NOT_FOUND)
  }
  const elsewhere = 'arn:aws:lambda:eu-west-1:000000000000:capacity-provider:group'
  const foreign = await fail('GetCapacityProvider', { CapacityProviderName: elsewhere })
  assert.equal(foreign.message, `Capacity provider not found: ${elsewhere}`)
  await call('CreateCapacityProvider', INPUT)
  await settle()
  const twice = await fail('CreateCapacityProvider', INPUT)
  assert.deepEqual([twice.code, twice.status], ['ResourceConflictException', 409])
})

test('capacity providers: only the scaling changes, and policies belong to the mode Manual', async () => {
  const { call, fail } = await withProvider()
  const ScalingPolicies = [
    { PredefinedMetricType: 'LambdaCapacityProviderAverageCPUUtilization', TargetValue: 50 },
  ]
  const update = (config: object) =>
    call('UpdateCapacityProvider', { CapacityProviderName, CapacityProviderScalingConfig: config })
  const manual = await update({ ScalingMode: 'Manual', ScalingPolicies, MaxVCpuCount: 8 })
  const scaling = { MaxVCpuCount: 8, ScalingMode: 'Manual', ScalingPolicies }
  assert.deepEqual(manual.CapacityProvider.CapacityProviderScalingConfig, scaling)
  const more = await update({ MaxVCpuCount: 9 })
  assert.deepEqual(more.CapacityProvider.CapacityProviderScalingConfig, { ...scaling, MaxVCpuCount: 9 })
  const auto = await update({ ScalingMode: 'Auto' })
  assert.deepEqual(auto.CapacityProvider.CapacityProviderScalingConfig, {
    MaxVCpuCount: 9,
    ScalingMode: 'Auto',
  })
  for (const config of [{ ScalingMode: 'Manual' }, { ScalingMode: 'Auto', ScalingPolicies }]) {
    const refused = await fail('UpdateCapacityProvider', {
      CapacityProviderName,
      CapacityProviderScalingConfig: config,
    })
    assert.equal(refused.code, 'InvalidParameterValueException')
  }
})

test('capacity providers: listed by name and state, in pages', async () => {
  const { call, settle } = createControlPlane()
  for (const name of ['c', 'a', 'b'])
    await call('CreateCapacityProvider', { ...INPUT, CapacityProviderName: name })
  await settle()
  const names = ({ CapacityProviders }: Record<string, { CapacityProviderArn: string }[]>) =>
    CapacityProviders?.map(({ CapacityProviderArn }) => CapacityProviderArn.at(-1))
  const first = await call('ListCapacityProviders', { MaxItems: 2 })
  assert.deepEqual(names(first), ['a', 'b'])
  const second = await call('ListCapacityProviders', { MaxItems: 2, Marker: first['NextMarker'] })
  assert.deepEqual([names(second), second['NextMarker']], [['c'], undefined])
  assert.deepEqual(names(await call('ListCapacityProviders', { State: 'Active' })), ['a', 'b', 'c'])
  assert.deepEqual(names(await call('ListCapacityProviders', { State: 'Failed' })), [])
})

test('capacity providers: at most a thousand in an account', async () => {
  const { store, fail } = await withProvider()
  const row = await store.meta.get(capacityProviderKey(SCOPE, 'group'))
  assert.ok(row)
  const others = Array.from({ length: 999 }, (_, index) => ({
    key: capacityProviderKey(SCOPE, `other-${index}`),
    doc: row.doc,
  }))
  for (let at = 0; at < others.length; at += 100) await store.meta.txn(others.slice(at, at + 100))
  const full = await fail('CreateCapacityProvider', { ...INPUT, CapacityProviderName: 'one-more' })
  assert.deepEqual([full.code, full.status], ['CapacityProviderLimitExceededException', 400])
})

test('capacity providers: deleted in the background, and not at all while a function uses one', async () => {
  const { call, fail, create, settle } = await withProvider()
  await create('fn', {
    CapacityProviderConfig: {
      LambdaManagedInstancesCapacityProviderConfig: { CapacityProviderArn: arnOf('group') },
    },
  })
  assert.deepEqual(await fail('DeleteCapacityProvider', { CapacityProviderName }), {
    code: 'ResourceConflictException',
    message: `The capacity provider is currently in use by 1 functions. To delete this capacity provider, first remove its association with ${arnOf('group')}.`,
    status: 409,
  })
  await call('DeleteFunction', { FunctionName: 'fn' })
  const deleted = await call('DeleteCapacityProvider', { CapacityProviderName })
  assert.equal(deleted['CapacityProvider'].State, 'Deleting')
  await settle()
  assert.deepEqual(await fail('GetCapacityProvider', { CapacityProviderName }), NOT_FOUND)
})

test('capacity providers: what a crash left on its way is taken up again at the next start', async () => {
  const first = await withProvider()
  // As if the process had ended between the answer and the step after it.
  const put = async (name: string, state: string) => {
    const row = await first.store.meta.get(capacityProviderKey(SCOPE, 'group'))
    const doc = { ...(row?.doc as object), name, state }
    await first.store.meta.txn([{ key: capacityProviderKey(SCOPE, name), doc }])
  }
  await put('pending', 'Pending')
  await put('deleting', 'Deleting')
  const second = createControlPlane({ store: first.store })
  await second.providerLifecycle.start()
  await second.settle()
  const { CapacityProviders } = await second.call('ListCapacityProviders', {})
  assert.deepEqual(
    CapacityProviders.map(({ CapacityProviderArn, State }: Record<string, string>) => [
      CapacityProviderArn?.split(':').at(-1),
      State,
    ]),
    [
      ['group', 'Active'],
      ['pending', 'Active'],
    ],
  )
})

test('capacity providers: have tags', async () => {
  const { call, fail } = await withProvider({ Tags: { team: 'a' } })
  const Resource = arnOf('group')
  assert.deepEqual(await call('ListTags', { Resource }), { Tags: { team: 'a' } })
  await call('TagResource', { Resource, Tags: { stage: 'test' } })
  await call('UntagResource', { Resource, TagKeys: ['team'] })
  assert.deepEqual(await call('ListTags', { Resource }), { Tags: { stage: 'test' } })
  const missing = await fail('ListTags', { Resource: arnOf('other') })
  assert.equal(missing.message, `Capacity provider not found: ${arnOf('other')}`)
})
