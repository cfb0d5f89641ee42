import assert from 'node:assert/strict'
import { test } from 'node:test'

import { accountKey, aliasKey, versionKey } from '#contracts/keys.ts'

import { arnOf, createControlPlane, SCOPE } from '../../../test/support/control-plane.ts'

const FunctionName = 'fn'
const S3 = { FunctionName, StatementId: 's3', Action: 'lambda:InvokeFunction', Principal: 's3.amazonaws.com' }
const statement = (more: object = {}) => ({
  Sid: 's3',
  Effect: 'Allow',
  Principal: { Service: 's3.amazonaws.com' },
  Action: 'lambda:InvokeFunction',
  Resource: arnOf('fn'),
  ...more,
})
const WRONG = '00000000-0000-4000-8000-000000000000'
const REVISION_TEXT =
  'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id'
const GONE = 'The resource you requested does not exist.'

async function withFunction() {
  const plane = createControlPlane()
  await plane.create('fn')
  const policyOf = async (input: object = {}) => {
    const answer = await plane.call('GetPolicy', { FunctionName, ...input })
    return { ...answer, Policy: JSON.parse(answer['Policy'] as string) }
  }
  const revision = async (Qualifier?: string) =>
    (await plane.call('GetFunctionConfiguration', { FunctionName, Qualifier }))['RevisionId']
  return { ...plane, policyOf, revision }
}

test('AddPermission: answers the statement, and the policy holds it under the revision of the function', async () => {
  const { call, policyOf, revision } = await withFunction()
  const before = await revision()
  const answer = await call('AddPermission', { ...S3, SourceArn: 'arn:aws:s3:::bucket' })
  const added = statement({ Condition: { ArnLike: { 'AWS:SourceArn': 'arn:aws:s3:::bucket' } } })
  assert.deepEqual(answer, { Statement: JSON.stringify(added) })
  const after = await revision()
  assert.notEqual(after, before)
  assert.deepEqual(await policyOf(), {
    Policy: { Version: '2012-10-17', Id: 'default', Statement: [added] },
    RevisionId: after,
  })
})

test('AddPermission: renders every kind of principal and condition in the order of AWS', async () => {
  const { call } = await withFunction()
  const cases: readonly (readonly [object, object])[] = [
    [{ Principal: '*' }, { Principal: '*' }],
    [{ Principal: '123456789012' }, { Principal: { AWS: 'arn:aws:iam::123456789012:root' } }],
    [
      { Principal: 'arn:aws:iam::123456789012:user/ann' },
      { Principal: { AWS: 'arn:aws:iam::123456789012:user/ann' } },
    ],
    [
      { Principal: '*', EventSourceToken: 'amzn1.ask.skill.x' },
      { Principal: '*', Condition: { StringEquals: { 'lambda:EventSourceToken': 'amzn1.ask.skill.x' } } },
    ],
    [
      { Principal: '*', InvokedViaFunctionUrl: true },
      { Principal: '*', Condition: { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } } },
    ],
    [
      {
        Principal: '*',
        Action: 'lambda:InvokeFunctionUrl',
        SourceArn: 'arn:aws:s3:::bucket',
        SourceAccount: '111111111111',
        PrincipalOrgID: 'o-1234567890',
        FunctionUrlAuthType: 'NONE',
      },
      {
        Principal: '*',
        Action: 'lambda:InvokeFunctionUrl',
        Condition: {
          StringEquals: {
            'AWS:SourceAccount': '111111111111',
            'lambda:FunctionUrlAuthType': 'NONE',
            'aws:PrincipalOrgID': 'o-1234567890',
          },
          ArnLike: { 'AWS:SourceArn': 'arn:aws:s3:::bucket' },
        },
      },
    ],
  ]
  for (const [index, [request, expected]] of cases.entries()) {
    const StatementId = `s${index}`
    const { Statement } = await call('AddPermission', { ...S3, StatementId, ...request })
    const whole: Record<string, unknown> = statement({ Sid: StatementId, ...expected })
    const order = ['Sid', 'Effect', 'Principal', 'Action', 'Resource', 'Condition'].filter(
      (member) => member in whole,
    )
    assert.equal(
      Statement,
      JSON.stringify(Object.fromEntries(order.map((member) => [member, whole[member]]))),
    )
  }
})

test('AddPermission: refuses what AWS refuses, and changes nothing', async () => {
  const { call, fail, documents, revision } = await withFunction()
  await call('AddPermission', S3)
  const [before, revisionBefore] = [await documents(), await revision()]
  const cases: readonly (readonly [object, string, string, number])[] = [
    [
      {},
      'ResourceConflictException',
      'The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement.',
      409,
    ],
    [{ StatementId: 'x', RevisionId: WRONG }, 'PreconditionFailedException', REVISION_TEXT, 412],
    [
      { StatementId: 'x', Principal: 'nobody' },
      'InvalidParameterValueException',
      'The provided principal was invalid. Please check the principal and try again.',
      400,
    ],
    [
      { StatementId: 'x', Qualifier: '$LATEST' },
      'InvalidParameterValueException',
      'We currently do not support adding policies for $LATEST.',
      400,
    ],
    [
      { StatementId: 'x', FunctionUrlAuthType: 'NONE' },
      'InvalidParameterValueException',
      'FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action',
      400,
    ],
    [
      { StatementId: 'x', Action: 'lambda:InvokeFunctionUrl', InvokedViaFunctionUrl: true },
      'InvalidParameterValueException',
      'InvokedViaFunctionUrl is only supported for lambda:InvokeFunction action',
      400,
    ],
    [
      { StatementId: 'x', Qualifier: 'alias' },
      'ResourceNotFoundException',
      `Cannot find alias arn: ${arnOf('fn', 'alias')}`,
      404,
    ],
    [
      { StatementId: 'x', Qualifier: '42' },
      'ResourceNotFoundException',
      `Function not found: ${arnOf('fn', '42')}`,
      404,
    ],
    [
      { StatementId: 'x', Qualifier: 'with-$' },
      'ResourceNotFoundException',
      `Function not found: ${arnOf('fn', 'with-$')}`,
      404,
    ],
    [
      { StatementId: 'x', FunctionName: 'other' },
      'ResourceNotFoundException',
      `Function not found: ${arnOf('other')}`,
      404,
    ],
    [
      { StatementId: 'x', FunctionName: 'fn:one', Qualifier: 'two' },
      'InvalidParameterValueException',
      'The derived qualifier from the function name does not match the specified qualifier.',
      400,
    ],
  ]
  for (const [change, code, message, status] of cases) {
    assert.deepEqual(await fail('AddPermission', { ...S3, ...change }), { code, message, status })
  }
  assert.deepEqual(await documents(), before)
  assert.equal(await revision(), revisionBefore)
})

test('AddPermission: refuses the statement that makes the policy longer than 20,480 bytes', async () => {
  const { call, fail, policyOf } = await withFunction()
  const SourceArn = `arn:aws:s3:::${'b'.repeat(4000)}`
  for (let number = 0; number < 4; number++) {
    await call('AddPermission', { ...S3, StatementId: `s${number}`, SourceArn })
  }
  const { code, message, status } = await fail('AddPermission', { ...S3, StatementId: 's4', SourceArn })
  assert.deepEqual([code, status], ['PolicyLengthExceededException', 400])
  assert.match(message, /^The final policy size \(2\d{4}\) is bigger than the limit \(20480\)\.$/)
  assert.equal((await policyOf())['Policy'].Statement.length, 4)
})

test('GetPolicy: function, version and alias each have a policy and a revision of their own', async () => {
  const { call, fail, policyOf, revision } = await withFunction()
  await call('AddPermission', S3)
  await call('PublishVersion', { FunctionName })
  await call('CreateAlias', { FunctionName, Name: 'live', FunctionVersion: '1' })
  const missing = { code: 'ResourceNotFoundException', message: GONE, status: 404 }
  for (const Qualifier of ['1', 'live', '7', 'none', '$LATEST']) {
    assert.deepEqual(await fail('GetPolicy', { FunctionName, Qualifier }), missing)
  }
  await call('AddPermission', { ...S3, Qualifier: '1' })
  await call('AddPermission', { ...S3, FunctionName: 'fn:live' })
  const only = (Resource: string) => ({
    Version: '2012-10-17',
    Id: 'default',
    Statement: [statement({ Resource })],
  })
  const alias = await call('GetAlias', { FunctionName, Name: 'live' })
  assert.deepEqual(await policyOf(), { Policy: only(arnOf('fn')), RevisionId: await revision() })
  assert.deepEqual(await policyOf({ Qualifier: '1' }), {
    Policy: only(arnOf('fn', '1')),
    RevisionId: await revision('1'),
  })
  assert.deepEqual(await policyOf({ Qualifier: 'live' }), {
    Policy: only(arnOf('fn', 'live')),
    RevisionId: alias['RevisionId'],
  })
  assert.equal(
    (await fail('GetPolicy', { FunctionName: 'other' })).message,
    `Function not found: ${arnOf('other')}`,
  )
})

test('AddPermission: leaves the version that environments run as it is', async () => {
  const { call, documents: _, store } = await withFunction()
  await call('PublishVersion', { FunctionName })
  const key = versionKey({ ...SCOPE, name: 'fn' }, '1')
  const before = (await store.meta.get(key))?.doc as Record<string, unknown>
  await call('AddPermission', { ...S3, Qualifier: '1' })
  const after = (await store.meta.get(key))?.doc as Record<string, unknown>
  assert.notEqual(after['revisionId'], before['revisionId'])
  assert.deepEqual({ ...after, revisionId: '' }, { ...before, revisionId: '' })
})

test('RemovePermission: takes statements out one by one, and the policy goes with the last one', async () => {
  const { call, fail, policyOf, revision, documents } = await withFunction()
  await call('AddPermission', S3)
  await call('AddPermission', { ...S3, StatementId: 'sqs', Principal: 'sqs.amazonaws.com' })
  assert.deepEqual(await fail('RemovePermission', { FunctionName, StatementId: 'none' }), {
    code: 'ResourceNotFoundException',
    message: 'Statement none is not found in resource policy.',
    status: 404,
  })
  assert.deepEqual(await fail('RemovePermission', { FunctionName, StatementId: 'sqs', RevisionId: WRONG }), {
    code: 'PreconditionFailedException',
    message: REVISION_TEXT,
    status: 412,
  })
  const before = await revision()
  assert.deepEqual(
    await call('RemovePermission', { FunctionName, StatementId: 'sqs', RevisionId: before }),
    {},
  )
  assert.notEqual(await revision(), before)
  assert.deepEqual((await policyOf())['Policy'].Statement, [statement()])
  await call('RemovePermission', { FunctionName, StatementId: 's3' })
  assert.equal((await fail('GetPolicy', { FunctionName })).message, GONE)
  assert.ok(!(await documents()).some((key) => key.startsWith('policy/')))
})

test('RemovePermission: names what is missing as AWS does', async () => {
  const { fail } = await withFunction()
  const cases = [
    [{}, 'No policy is associated with the given resource.'],
    [{ Qualifier: '$LATEST' }, 'No policy is associated with the given resource.'],
    [{ FunctionName: 'other' }, `No policy found for: ${arnOf('other')}`],
    [{ Qualifier: 'none' }, `Cannot find alias arn: ${arnOf('fn', 'none')}`],
  ] as const
  for (const [change, message] of cases) {
    const failure = await fail('RemovePermission', { FunctionName, StatementId: 's3', ...change })
    assert.deepEqual(failure, { code: 'ResourceNotFoundException', message, status: 404 })
  }
})

test('policies go with what they hang on', async () => {
  const { call, documents, fail } = await withFunction()
  await call('PublishVersion', { FunctionName })
  await call('CreateAlias', { FunctionName, Name: 'live', FunctionVersion: '1' })
  for (const Qualifier of [undefined, '1', 'live']) await call('AddPermission', { ...S3, Qualifier })
  const policies = async () => (await documents()).filter((key) => key.startsWith('policy/')).length
  assert.equal(await policies(), 3)
  await call('DeleteAlias', { FunctionName, Name: 'live' })
  assert.equal(await policies(), 2)
  await call('DeleteFunction', { FunctionName, Qualifier: '1' })
  assert.equal(await policies(), 1)
  await call('CreateAlias', { FunctionName, Name: 'live', FunctionVersion: '$LATEST' })
  await call('AddPermission', { ...S3, Qualifier: 'live' })
  await call('DeleteFunction', { FunctionName })
  const id = { ...SCOPE, name: 'fn' }
  assert.deepEqual(await documents(), [accountKey(id)])
  assert.ok(!(await documents()).includes(aliasKey(id, 'live')))
  assert.equal((await fail('GetPolicy', { FunctionName })).status, 404)
})

test('PutResourcePolicy: replaces the whole policy, which the other operations see', async () => {
  const { call, fail, policyOf, revision } = await withFunction()
  await call('AddPermission', S3)
  const whole = {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'deny',
        Effect: 'Deny',
        Principal: { AWS: ['123456789012', 'arn:aws:iam::123456789012:role/caller'] },
        Action: ['lambda:InvokeFunction', 'lambda:Get*'],
        Resource: arnOf('fn'),
        Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
      },
    ],
  }
  const ResourceArn = arnOf('fn')
  const RevisionId = await revision()
  const answer = await call('PutResourcePolicy', {
    ResourceArn,
    Policy: JSON.stringify(whole, null, 2),
    RevisionId,
  })
  assert.deepEqual(answer, { Policy: JSON.stringify(whole), RevisionId: await revision() })
  assert.notEqual(answer['RevisionId'], RevisionId)
  assert.deepEqual(await call('GetResourcePolicy', { ResourceArn }), answer)
  assert.deepEqual(await policyOf(), { Policy: whole, RevisionId: answer['RevisionId'] })

  await call('AddPermission', S3)
  await call('RemovePermission', { FunctionName, StatementId: 'deny' })
  assert.deepEqual((await policyOf())['Policy'], { Version: '2012-10-17', Statement: [statement()] })

  const stale = { code: 'PreconditionFailedException', message: REVISION_TEXT, status: 412 }
  const Policy = JSON.stringify(whole)
  assert.deepEqual(await fail('PutResourcePolicy', { ResourceArn, Policy, RevisionId }), stale)
  assert.deepEqual(await fail('DeleteResourcePolicy', { ResourceArn, RevisionId }), stale)
  assert.deepEqual(await call('DeleteResourcePolicy', { ResourceArn, RevisionId: await revision() }), {})
  const gone = { code: 'ResourceNotFoundException', message: GONE, status: 404 }
  assert.deepEqual(await fail('DeleteResourcePolicy', { ResourceArn }), gone)
  assert.deepEqual(await fail('GetResourcePolicy', { ResourceArn }), gone)
  assert.equal((await fail('PutResourcePolicy', { ResourceArn: arnOf('fn', '$LATEST'), Policy })).status, 400)
})

test('two statements added at the same time are both kept', async () => {
  const { call, policyOf } = await withFunction()
  const ids = ['a', 'b', 'c', 'd', 'e']
  await Promise.all(ids.map((StatementId) => call('AddPermission', { ...S3, StatementId })))
  const { Policy } = await policyOf()
  assert.deepEqual(Policy.Statement.map(({ Sid }: { Sid: string }) => Sid).toSorted(), ids)
})
