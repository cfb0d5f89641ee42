import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Alias } from '#contracts/function.ts'
import { provisionedConcurrencyKey, provisionedStateKey } from '#contracts/keys.ts'
import { sharesOf, type ProvisionedConcurrency } from '#contracts/provisioned-concurrency.ts'
import { createCommitter } from '#control-plane/commit.ts'
import { createAliasMoves } from '#control-plane/concurrency/alias-moves.ts'
import { movingAlias } from '#control-plane/concurrency/moving-alias.ts'
import { createDocuments } from '#control-plane/documents.ts'

import { arnOf, createControlPlane, SCOPE, zip } from '../../../test/support/control-plane.ts'

const ID = { ...SCOPE, name: 'fn' }
const INVALID = 'InvalidParameterValueException'

/** A function with versions 1 to 3 and the alias `live` at version 1. */
async function setup() {
  const plane = createControlPlane()
  const { call, fail, create, settle } = plane
  await create('fn', { Publish: true })
  for (const content of ['two', 'three']) {
    await call('UpdateFunctionCode', { FunctionName: 'fn', ZipFile: zip(content), Publish: true })
    await settle()
  }
  await call('CreateAlias', { FunctionName: 'fn', Name: 'live', FunctionVersion: '1' })
  const asked = (Qualifier: string, ProvisionedConcurrentExecutions?: number) => ({
    FunctionName: 'fn',
    Qualifier,
    ProvisionedConcurrentExecutions,
  })
  return {
    ...plane,
    put: (qualifier: string, count: number) =>
      call('PutProvisionedConcurrencyConfig', asked(qualifier, count)),
    refuse: (qualifier: string, count: number) =>
      fail('PutProvisionedConcurrencyConfig', asked(qualifier, count)),
    get: (qualifier: string) => call('GetProvisionedConcurrencyConfig', asked(qualifier)),
    remove: (qualifier: string) => call('DeleteProvisionedConcurrencyConfig', asked(qualifier)),
    list: async (more: object = {}) =>
      await call('ListProvisionedConcurrencyConfigs', { FunctionName: 'fn', ...more }),
    unreserved: async () =>
      (await call('GetAccountSettings', {}))['AccountLimit'].UnreservedConcurrentExecutions,
    /** What the data plane would write. */
    async report(qualifier: string, version: string, change: object) {
      const row = await plane.store.meta.get(provisionedConcurrencyKey(ID, qualifier))
      assert.ok(row, 'there is a configuration')
      const { token, requested } = row.doc as unknown as ProvisionedConcurrency
      const state = { ...ID, qualifier, token, version, allocated: requested, available: requested }
      await plane.store.meta.txn([
        { key: provisionedStateKey(ID, qualifier), doc: { ...state, status: 'READY', ...change } },
      ])
      await settle()
    },
  }
}

test('provisioned concurrency is put, read as the data plane reports it, listed and deleted', async () => {
  const { put, get, remove, list, fail, report, call } = await setup()
  const asked = {
    AllocatedProvisionedConcurrentExecutions: 0,
    AvailableProvisionedConcurrentExecutions: 0,
    LastModified: '2026-01-01T00:00:00+0000',
    RequestedProvisionedConcurrentExecutions: 3,
    Status: 'IN_PROGRESS',
  }
  assert.deepEqual(await put('2', 3), asked)
  assert.deepEqual(await get('2'), asked)
  await report('2', '2', {})
  const ready = {
    ...asked,
    AllocatedProvisionedConcurrentExecutions: 3,
    AvailableProvisionedConcurrentExecutions: 3,
    Status: 'READY',
  }
  assert.deepEqual(await get('2'), ready)
  await put('live', 1)
  await report('live', '1', {
    status: 'FAILED',
    reason: 'FUNCTION_ERROR_INIT_FAILURE',
    allocated: 0,
    available: 0,
  })
  const failed = {
    ...asked,
    RequestedProvisionedConcurrentExecutions: 1,
    Status: 'FAILED',
    StatusReason: 'FUNCTION_ERROR_INIT_FAILURE',
  }
  assert.deepEqual(await get('live'), failed)
  assert.deepEqual(await list(), {
    ProvisionedConcurrencyConfigs: [
      { FunctionArn: arnOf('fn', '2'), ...ready },
      { FunctionArn: arnOf('fn', 'live'), ...failed },
    ],
  })
  const page = await list({ MaxItems: 1 })
  assert.equal(page['ProvisionedConcurrencyConfigs'].length, 1)
  const rest = await list({ MaxItems: 1, Marker: page['NextMarker'] })
  assert.equal(rest['ProvisionedConcurrencyConfigs'][0].FunctionArn, arnOf('fn', 'live'))
  assert.equal(rest['NextMarker'], undefined)

  assert.deepEqual(await put('2', 3), asked, 'what was reported of the earlier request is not about this one')
  assert.deepEqual(await remove('2'), {})
  assert.deepEqual(await remove('2'), {}, 'deleting what is not there is no error')
  assert.deepEqual(await fail('GetProvisionedConcurrencyConfig', { FunctionName: 'fn', Qualifier: '2' }), {
    code: 'ProvisionedConcurrencyConfigNotFoundException',
    message: 'No Provisioned Concurrency Config found for this function',
    status: 404,
  })
  await call('DeleteAlias', { FunctionName: 'fn', Name: 'live' })
  assert.deepEqual(await list(), { ProvisionedConcurrencyConfigs: [] })
})

test('provisioned concurrency of nothing, or of what can not have it, is refused', async () => {
  const { fail, refuse, call } = await setup()
  const operations = ['Get', 'Delete', 'Put'].map((verb) => `${verb}ProvisionedConcurrencyConfig`)
  for (const operation of operations) {
    const message = async (FunctionName: string, Qualifier: string) =>
      (await fail(operation, { FunctionName, Qualifier, ProvisionedConcurrentExecutions: 1 })).message
    assert.equal(await message('no', 'none'), `Cannot find alias arn: ${arnOf('no', 'none')}`)
    assert.equal(await message('no', '1'), `Function not found: ${arnOf('no', '1')}`)
    assert.equal(await message('fn', 'none'), `Cannot find alias arn: ${arnOf('fn', 'none')}`)
    assert.equal(await message('fn', '10'), `Function not found: ${arnOf('fn', '10')}`)
    assert.equal(
      await message('fn', '$LATEST'),
      operation.startsWith('Put')
        ? 'Provisioned Concurrency Configs cannot be applied to unpublished function versions.'
        : 'The function resource provided must be an alias or a published version.',
    )
  }
  await call('CreateAlias', { FunctionName: 'fn', Name: 'latest', FunctionVersion: '$LATEST' })
  assert.deepEqual(await refuse('latest', 1), {
    code: INVALID,
    message: 'Provisioned Concurrency Configs cannot be applied to unpublished function versions.',
    status: 400,
  })
  await call('CreateAlias', {
    FunctionName: 'fn',
    Name: 'both',
    FunctionVersion: '1',
    RoutingConfig: { AdditionalVersionWeights: { 2: 0.5 } },
  })
  assert.deepEqual(await refuse('both', 1), {
    code: INVALID,
    message: 'Alias with weights can not be used with Provisioned Concurrency',
    status: 400,
  })
})

test('a version has provisioned concurrency once, by itself or through one alias', async () => {
  const { put, refuse, remove, call } = await setup()
  await put('1', 1)
  assert.deepEqual(await refuse('live', 1), {
    code: 'ResourceConflictException',
    message:
      "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
    status: 409,
  })
  await remove('1')
  await put('live', 1)
  assert.deepEqual(await refuse('1', 1), {
    code: 'ResourceConflictException',
    message: 'Version is pointed by a Provisioned Concurrency alias',
    status: 409,
  })
  await call('CreateAlias', { FunctionName: 'fn', Name: 'second', FunctionVersion: '1' })
  assert.equal((await refuse('second', 1)).status, 409)
  await put('2', 1)
})

test('the sums: reservation, account, and the hundred that stay unreserved', async () => {
  const { put, refuse, remove, call, fail, create, unreserved } = await setup()
  await create('other')
  assert.deepEqual(await refuse('1', 1001), {
    code: INVALID,
    message:
      "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000].",
    status: 400,
  })
  const floor =
    "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100]."
  assert.equal((await refuse('1', 901)).message, floor)
  await put('1', 400)
  assert.equal(await unreserved(), 600)
  await put('2', 100)
  assert.equal(await unreserved(), 500)
  assert.equal((await refuse('2', 501)).message, floor)
  assert.equal(
    (await fail('PutFunctionConcurrency', { FunctionName: 'other', ReservedConcurrentExecutions: 401 }))
      .message,
    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
  )
  const reserve = { FunctionName: 'fn', ReservedConcurrentExecutions: 499 }
  assert.equal(
    (await fail('PutFunctionConcurrency', reserve)).message,
    " ReservedConcurrentExecutions  499 should not be lower than function's total provisioned concurrency [500].",
  )
  await call('PutFunctionConcurrency', { ...reserve, ReservedConcurrentExecutions: 510 })
  assert.equal(await unreserved(), 490, 'what is provisioned is part of the reservation')
  assert.equal(
    (await refuse('3', 11)).message,
    'Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function',
  )
  await put('3', 10)
  assert.equal(await unreserved(), 490)
  await call('DeleteFunctionConcurrency', { FunctionName: 'fn' })
  assert.equal(await unreserved(), 490)
  await remove('1')
  assert.equal(await unreserved(), 890)
  await call('DeleteFunction', { FunctionName: 'fn', Qualifier: '2' })
  assert.equal(await unreserved(), 990)
  await call('DeleteFunction', { FunctionName: 'fn' })
  assert.equal(await unreserved(), 1000)
})

test('an alias that is pointed to another version serves the old one until the new one is ready', async () => {
  const { put, refuse, call, report, meta, random, settle } = await setup()
  const committer = createCommitter(meta)
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const moves = createAliasMoves({ meta, documents: createDocuments(meta), committer, random, logger })
  await moves.start()
  await put('live', 2)
  await report('live', '1', {})
  const alias = { FunctionName: 'fn', Name: 'live' }
  const moved = await call('UpdateAlias', { ...alias, FunctionVersion: '2' })
  assert.deepEqual(
    [moved['FunctionVersion'], moved['RoutingConfig']],
    ['2', { AdditionalVersionWeights: { 1: 1 } }],
  )
  assert.equal(
    (await refuse('live', 3)).message,
    'Alias with weights can not be used with Provisioned Concurrency',
  )
  await report('live', '2', { status: 'IN_PROGRESS' })
  assert.ok((await call('GetAlias', alias))['RoutingConfig'])
  await report('live', '2', {})
  const arrived = await call('GetAlias', alias)
  assert.deepEqual([arrived['FunctionVersion'], arrived['RoutingConfig']], ['2', undefined])
  assert.notEqual(arrived['RevisionId'], moved['RevisionId'])
  await moves.stop()
  await settle()
})

test('an alias that has not arrived: what is deleted, refused and found at the next start', async () => {
  const { put, remove, call, fail, report, meta, random, settle } = await setup()
  await put('live', 2)
  const alias = { FunctionName: 'fn', Name: 'live' }
  await call('UpdateAlias', { ...alias, FunctionVersion: '2' })
  assert.equal(
    (await fail('UpdateAlias', { ...alias, FunctionVersion: '1' })).message,
    'Invalid function version 1. Function version 1 is already included in routing configuration.',
  )
  assert.equal(
    (await fail('UpdateAlias', { ...alias, FunctionVersion: '$LATEST', RoutingConfig: {} })).code,
    INVALID,
  )
  await put('3', 1)
  assert.equal((await fail('UpdateAlias', { ...alias, FunctionVersion: '3' })).status, 409)
  assert.equal((await fail('DeleteFunction', { FunctionName: 'fn', Qualifier: '1' })).status, 409)
  await report('live', '2', {})
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const moves = createAliasMoves({
    meta,
    documents: createDocuments(meta),
    committer: createCommitter(meta),
    random,
    logger,
  })
  await moves.start()
  await settle()
  assert.equal(
    (await call('GetAlias', alias))['RoutingConfig'],
    undefined,
    'a ready one arrives at the start',
  )
  await moves.stop()
  await call('UpdateAlias', { ...alias, FunctionVersion: '1' })
  await remove('live')
  assert.equal((await call('GetAlias', alias))['RoutingConfig'], undefined, 'nothing is waited for any more')
})

const at = (version: string, more: Partial<Alias> = {}): Alias => ({
  ...ID,
  alias: 'live',
  version,
  description: '',
  revisionId: '',
  ...more,
})
const weighted = (version: string, weight: number) => ({ additionalVersion: { version, weight } })
const moving = (to: string, from: string) => at(to, { ...weighted(from, 1), moving: true })
const MOVES: readonly [string, Alias, Alias, boolean, Alias][] = [
  ['another version', at('1'), at('2'), false, moving('2', '1')],
  ['another version, with an empty routing', at('1'), at('2'), true, moving('2', '1')],
  ['a third before it arrived', moving('2', '1'), moving('3', '1'), false, moving('3', '1')],
  ['a third before it arrived, with an empty routing', moving('2', '1'), at('3'), true, moving('3', '1')],
  ['back before it arrived', moving('2', '1'), at('1'), true, at('1')],
  ['cut over by hand', moving('2', '1'), at('2'), true, at('2')],
  ['a description only', moving('2', '1'), moving('2', '1'), false, moving('2', '1')],
  ['weights of the request', at('1'), at('1', weighted('2', 0.1)), true, at('1', weighted('2', 0.1))],
  ['the end of a deployment by weights', at('1', weighted('2', 0.9)), at('2'), true, at('2')],
  ['nothing', at('1'), at('1'), false, at('1')],
]
for (const [name, before, after, isRoutingGiven, expected] of MOVES) {
  test(`moving alias: ${name}`, () => assert.deepEqual(movingAlias(before, after, isRoutingGiven), expected))
}

test('shares: all for one version, by weight for two, and for both while the alias moves', () => {
  const counts = (requested: number, alias: Alias) =>
    sharesOf(requested, alias).map(({ version, count }) => `${version}:${count}`)
  assert.deepEqual(counts(5, at('1')), ['1:5'])
  assert.deepEqual(counts(10, at('1', weighted('2', 0.25))), ['1:8', '2:3'])
  assert.deepEqual(counts(1, at('1', weighted('2', 0.01))), ['1:1', '2:1'])
  assert.deepEqual(counts(4, at('1', weighted('2', 1))), ['1:1', '2:4'])
  assert.deepEqual(counts(4, moving('2', '1')), ['2:4', '1:4'])
})
