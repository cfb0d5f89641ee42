import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { FunctionVersion } from '#contracts/function.ts'
import { versionKey } from '#contracts/keys.ts'

import {
  ACTIVE,
  arnOf,
  CREATED,
  createControlPlane,
  INPUT,
  LISTED,
  normalise,
  SCOPE,
  sha256,
  zip,
} from '../../../test/support/control-plane.ts'

test('CreateFunction with Publish answers version 1, Pending, with an unqualified ARN', async () => {
  const { call, settle } = createControlPlane()
  const answer = await call('CreateFunction', { ...INPUT, Publish: true })
  assert.deepEqual(normalise(answer), { ...CREATED, Version: '1' })
  await settle()
  const got = await call('GetFunctionConfiguration', { FunctionName: 'fn', Qualifier: '1' })
  assert.deepEqual(normalise(got), { ...ACTIVE, Version: '1', FunctionArn: arnOf('fn', '1') })
})

test('PublishVersion freezes $LATEST as an Active version and gives $LATEST another revision', async () => {
  const { call, create, settle } = createControlPlane()
  await create('fn')
  const before = await call('GetFunctionConfiguration', { FunctionName: 'fn' })
  const answer = await call('PublishVersion', { FunctionName: 'fn', Description: 'first' })
  assert.deepEqual(normalise(answer), {
    ...ACTIVE,
    Description: 'first',
    Version: '1',
    FunctionArn: arnOf('fn', '1'),
  })
  const after = await call('GetFunctionConfiguration', { FunctionName: 'fn' })
  assert.notEqual(after['RevisionId'], before['RevisionId'])
  assert.notEqual(answer['RevisionId'], after['RevisionId'])
  await call('UpdateFunctionConfiguration', { FunctionName: 'fn', Description: 'second', Timeout: 9 })
  await settle()
  assert.deepEqual(await call('GetFunctionConfiguration', { FunctionName: 'fn:1' }), answer)
})

test('publishing what was published last gives that version back', async () => {
  const { call, create, settle } = createControlPlane()
  await create('fn', { Environment: { Variables: { AA: '1' } } })
  const first = await call('PublishVersion', { FunctionName: 'fn' })
  const again = await call('PublishVersion', { FunctionName: 'fn', Description: 'other words' })
  assert.deepEqual(again, first)
  // Setting what is set already is no change either.
  await call('UpdateFunctionConfiguration', { FunctionName: 'fn', Environment: { Variables: { AA: '1' } } })
  await settle()
  assert.equal((await call('PublishVersion', { FunctionName: 'fn' }))['Version'], '1')
  await call('UpdateFunctionConfiguration', { FunctionName: 'fn', Environment: { Variables: { AA: '2' } } })
  await settle()
  assert.equal((await call('PublishVersion', { FunctionName: 'fn' }))['Version'], '2')
})

test('the number of a deleted version is never used again', async () => {
  const { call, create } = createControlPlane()
  await create('fn', { Publish: true })
  await call('DeleteFunction', { FunctionName: 'fn', Qualifier: '1' })
  assert.equal((await call('PublishVersion', { FunctionName: 'fn' }))['Version'], '2')
})

test('PublishVersion refuses another CodeSha256', async () => {
  const { call, fail, create } = createControlPlane()
  await create('fn')
  const sha = sha256(zip())
  assert.deepEqual(await fail('PublishVersion', { FunctionName: 'fn', CodeSha256: 'nope' }), {
    code: 'InvalidParameterValueException',
    message: `CodeSHA256 (nope) is different from current CodeSHA256 in $LATEST (${sha}). Please try again with the CodeSHA256 in $LATEST.`,
    status: 400,
  })
  assert.equal((await call('PublishVersion', { FunctionName: 'fn', CodeSha256: sha }))['Version'], '1')
})

test('UpdateFunctionCode with Publish answers the Pending version while $LATEST is in progress', async () => {
  const { call, create, settle, preparer } = createControlPlane()
  await create('fn')
  preparer.hold()
  const answer = await call('UpdateFunctionCode', { FunctionName: 'fn', ZipFile: zip('two'), Publish: true })
  assert.deepEqual(normalise(answer), {
    ...CREATED,
    CodeSha256: sha256(zip('two')),
    Version: '1',
    FunctionArn: arnOf('fn', '1'),
  })
  const latest = await call('GetFunctionConfiguration', { FunctionName: 'fn', Qualifier: '$LATEST' })
  assert.equal(latest['LastUpdateStatus'], 'InProgress')
  preparer.release()
  await settle()
  const version = await call('GetFunctionConfiguration', { FunctionName: 'fn', Qualifier: '1' })
  assert.deepEqual([version['State'], version['LastUpdateStatus']], ['Active', 'Successful'])
  const same = await call('UpdateFunctionCode', { FunctionName: 'fn', ZipFile: zip('two'), Publish: true })
  assert.equal(same['Version'], '1')
})

test('ListVersionsByFunction has $LATEST first and pages', async () => {
  const { call, create, settle } = createControlPlane()
  await create('fn')
  for (let timeout = 4; timeout < 15; timeout++) {
    await call('UpdateFunctionConfiguration', { FunctionName: 'fn', Timeout: timeout })
    await settle()
    await call('PublishVersion', { FunctionName: 'fn' })
  }
  const all = await call('ListVersionsByFunction', { FunctionName: 'fn' })
  const numbers = Array.from({ length: 11 }, (_, i) => String(i + 1))
  const versionsOf = (answer: { readonly [key: string]: FunctionVersionView[] }) =>
    (answer['Versions'] ?? []).map(({ Version }) => Version)
  interface FunctionVersionView {
    readonly Version: string
  }
  assert.deepEqual(versionsOf(all), ['$LATEST', ...numbers])
  assert.deepEqual(normalise(all['Versions'][1]), {
    ...LISTED,
    Timeout: 4,
    Version: '1',
    FunctionArn: arnOf('fn', '1'),
  })
  const seen: string[] = []
  let Marker: string | undefined
  do {
    const page = await call('ListVersionsByFunction', {
      FunctionName: 'fn',
      MaxItems: 5,
      ...(Marker && { Marker }),
    })
    seen.push(...versionsOf(page))
    Marker = page['NextMarker']
  } while (Marker)
  assert.deepEqual(seen, ['$LATEST', ...numbers])
})

test('a published version has a generation of its own', async () => {
  const { store, call, create } = createControlPlane()
  await create('fn')
  await call('PublishVersion', { FunctionName: 'fn' })
  const id = { ...SCOPE, name: 'fn' }
  const version = (await store.meta.get(versionKey(id, '1')))?.doc as unknown as FunctionVersion
  const head = (await store.meta.get('function/000000000000/us-east-1/fn'))?.doc as unknown as {
    readonly latest: FunctionVersion
  }
  assert.notEqual(version.generation, head.latest.generation)
})

test('aliases are created, read, changed, listed and deleted', async () => {
  const { call, create, settle } = createControlPlane()
  await create('fn', { Publish: true })
  await call('UpdateFunctionConfiguration', { FunctionName: 'fn', Timeout: 4 })
  await settle()
  await call('PublishVersion', { FunctionName: 'fn' })
  const created = await call('CreateAlias', {
    FunctionName: 'fn',
    Name: 'live',
    FunctionVersion: '1',
    Description: 'd',
    RoutingConfig: { AdditionalVersionWeights: { '2': 0.2 } },
  })
  assert.deepEqual(normalise(created), {
    AliasArn: arnOf('fn', 'live'),
    Description: 'd',
    FunctionVersion: '1',
    Name: 'live',
    RevisionId: '<uuid:1>',
    RoutingConfig: { AdditionalVersionWeights: { '2': 0.2 } },
  })
  assert.deepEqual(await call('GetAlias', { FunctionName: 'fn', Name: 'live' }), created)

  const changed = await call('UpdateAlias', {
    FunctionName: 'fn',
    Name: 'live',
    RevisionId: created['RevisionId'],
    RoutingConfig: { AdditionalVersionWeights: {} },
  })
  assert.deepEqual(normalise(changed), {
    AliasArn: arnOf('fn', 'live'),
    Description: 'd',
    FunctionVersion: '1',
    Name: 'live',
    RevisionId: '<uuid:1>',
  })
  assert.notEqual(changed['RevisionId'], created['RevisionId'])
  const unchanged = await call('UpdateAlias', { FunctionName: 'fn', Name: 'live' })
  assert.notEqual(unchanged['RevisionId'], changed['RevisionId'])

  await call('CreateAlias', { FunctionName: 'fn', Name: 'beta', FunctionVersion: '2' })
  await call('CreateAlias', { FunctionName: 'fn', Name: 'dev', FunctionVersion: '$LATEST' })
  const names = async (input: object) =>
    (await call('ListAliases', { FunctionName: 'fn', ...input }))['Aliases'].map(
      ({ Name }: { Name: string }) => Name,
    )
  assert.deepEqual(await names({}), ['beta', 'dev', 'live'])
  assert.deepEqual(await names({ FunctionVersion: '2' }), ['beta'])
  const first = await call('ListAliases', { FunctionName: 'fn', MaxItems: 2 })
  assert.deepEqual(await names({ Marker: first['NextMarker'] }), ['live'])

  assert.deepEqual(await call('DeleteAlias', { FunctionName: 'fn', Name: 'live' }), {})
  assert.deepEqual(await call('DeleteAlias', { FunctionName: 'fn', Name: 'live' }), {})
  assert.deepEqual(await names({}), ['beta', 'dev'])
})

test('aliases that can not be are refused with the texts of AWS', async () => {
  const { call, fail, create, settle } = createControlPlane()
  await create('fn', { Publish: true })
  await call('UpdateFunctionConfiguration', { FunctionName: 'fn', Timeout: 4 })
  await settle()
  await call('PublishVersion', { FunctionName: 'fn' })
  await call('CreateAlias', { FunctionName: 'fn', Name: 'live', FunctionVersion: '1' })
  const failure = async (FunctionVersion: string, weights: object | undefined, more: object = {}) => {
    const { code, message } = await fail('CreateAlias', {
      FunctionName: 'fn',
      Name: 'new',
      FunctionVersion,
      ...(weights && { RoutingConfig: { AdditionalVersionWeights: weights } }),
      ...more,
    })
    return `${code}: ${message}`
  }
  assert.equal(
    await failure('1', { '1': 0.5, '2': 0.5 }),
    'InvalidParameterValueException: Number of items in AdditionalVersionWeights cannot be greater than 1',
  )
  assert.equal(
    await failure('1', { '1': 0.5 }),
    'InvalidParameterValueException: Invalid function version 1. Function version 1 is already included in routing configuration.',
  )
  assert.equal(
    await failure('$LATEST', { '1': 0.5 }),
    'InvalidParameterValueException: $LATEST is not supported for an alias pointing to more than 1 version',
  )
  assert.equal(
    await failure('10', undefined),
    `ResourceNotFoundException: Function not found: ${arnOf('fn', '10')}`,
  )
  assert.equal(
    await failure('1', { '10': 0.5 }),
    `ResourceNotFoundException: Function not found: ${arnOf('fn', '10')}`,
  )
  assert.equal(
    await failure('1', undefined, { FunctionName: 'no' }),
    `ResourceNotFoundException: Function not found: ${arnOf('no', '1')}`,
  )
  assert.equal(
    await failure('1', undefined, { Name: 'live' }),
    `ResourceConflictException: Alias already exists: ${arnOf('fn', 'live')}`,
  )
  assert.deepEqual(await fail('GetAlias', { FunctionName: 'fn', Name: 'no' }), {
    code: 'ResourceNotFoundException',
    message: `Cannot find alias arn: ${arnOf('fn', 'no')}`,
    status: 404,
  })
  assert.equal(
    (await fail('UpdateAlias', { FunctionName: 'fn', Name: 'live', RevisionId: 'old' })).code,
    'PreconditionFailedException',
  )
})

test('an alias made while its version is being deleted never points to nothing', async () => {
  const { invoke, call, create } = createControlPlane()
  await create('fn', { Publish: true })
  const results = await Promise.allSettled([
    invoke('CreateAlias', { FunctionName: 'fn', Name: 'live', FunctionVersion: '1' }),
    invoke('DeleteFunction', { FunctionName: 'fn', Qualifier: '1' }),
  ])
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
  const { Aliases } = await call('ListAliases', { FunctionName: 'fn' })
  for (const { FunctionVersion } of Aliases) {
    await call('GetFunctionConfiguration', { FunctionName: 'fn', Qualifier: FunctionVersion })
  }
})

test('a version with SnapStart is Pending until it is prepared, others are Active at once', async () => {
  const { call, create, preparer, settle } = createControlPlane()
  await create('snap', { Runtime: 'java21', SnapStart: { ApplyOn: 'PublishedVersions' } })
  preparer.hold()
  const published = await call('PublishVersion', { FunctionName: 'snap' })
  assert.deepEqual(
    [published['State'], published['StateReasonCode'], published['SnapStart'].ApplyOn],
    ['Pending', 'Creating', 'PublishedVersions'],
  )
  preparer.release()
  await settle()
  const version = await call('GetFunctionConfiguration', { FunctionName: 'snap', Qualifier: '1' })
  assert.deepEqual(
    [version['State'], version['SnapStart']],
    ['Active', { ApplyOn: 'PublishedVersions', OptimizationStatus: 'On' }],
  )
  const latest = await call('GetFunctionConfiguration', { FunctionName: 'snap' })
  assert.deepEqual(latest['SnapStart'], { ApplyOn: 'PublishedVersions', OptimizationStatus: 'Off' })
  await create('plain')
  assert.equal((await call('PublishVersion', { FunctionName: 'plain' }))['State'], 'Active')
})
