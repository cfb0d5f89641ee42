import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'
import type { ServiceCall } from '#contracts/service-calls.ts'
import { systemRandom } from '#kernel/random.ts'

import type { AuthoriseRequest } from './authorise.ts'
import { createLocalCalls, type LocalCallsOptions } from './local-calls.ts'
import { kmsModel } from './models/kms.ts'
import type { OperationHandlers } from './service.ts'

const TOPIC = 'arn:aws:sns:us-east-1:111122223333:t'
const CALL: ServiceCall = {
  service: 'kms',
  operation: 'DescribeKey',
  input: { KeyId: 'alias/a' },
  region: 'eu-west-1',
  account: '111122223333',
  as: { servicePrincipal: 'sns.amazonaws.com', sourceArn: TOPIC, sourceAccount: '111122223333' },
}

function rig(handlers: OperationHandlers, options: Partial<LocalCallsOptions> = {}) {
  const logged: string[] = []
  const calls = createLocalCalls({
    roleSession: async ({ roleArn }) => ({
      account: '444455556666',
      arn: `${roleArn}/s`,
      accessKeyId: 'ASIA',
    }),
    endpoint: 'http://127.0.0.1:1',
    random: systemRandom,
    logger: { error: (message) => logged.push(message) },
    ...options,
  })
  calls.serve([{ model: kmsModel, handlers }])
  return { calls, logged }
}

test('local calls: the handler learns who calls, as a service or as a role', async () => {
  const seen: object[] = []
  const { calls } = rig({
    async DescribeKey(input: object, { account, region, principal }) {
      seen.push({ input, account, region, arn: principal.arn, source: principal.service?.arn })
      return { KeyMetadata: {} }
    },
  } as OperationHandlers)
  assert.deepEqual(await calls.call(CALL), { KeyMetadata: {} })
  const role = {
    roleArn: 'arn:r',
    sessionName: 's',
    servicePrincipal: 'lambda.amazonaws.com',
    sourceArn: 'arn:f',
  }
  await calls.call({ ...CALL, as: role })
  assert.deepEqual(seen, [
    {
      input: CALL.input,
      account: '111122223333',
      region: 'eu-west-1',
      arn: 'sns.amazonaws.com',
      source: TOPIC,
    },
    { input: CALL.input, account: '444455556666', region: 'eu-west-1', arn: 'arn:r/s', source: undefined },
  ])
})

test('local calls: the model and the policies are asked before the handler', async () => {
  const asked: AuthoriseRequest[] = []
  const { calls } = rig(
    { DescribeKey: () => assert.fail('must not run') },
    {
      authorise: (request) => {
        asked.push(request)
        throw new LambdaError('AccessDeniedException', 'no', { status: 403 })
      },
    },
  )
  await assert.rejects(calls.call({ ...CALL, input: {} }), { code: 'ValidationException' })
  assert.equal(asked.length, 0)
  await assert.rejects(calls.call(CALL), { code: 'AccessDeniedException' })
  assert.equal(asked[0]?.principal.service?.name, 'sns.amazonaws.com')
})

test('local calls: what is not there, not built, or broken is an error of the service', async () => {
  const { calls, logged } = rig({ DescribeKey: () => Promise.reject(new TypeError('oops')) })
  const codeOf = (call: ServiceCall) =>
    calls.call(call).then(
      () => 'none',
      (error: LambdaError) => `${error.code} ${error.status}`,
    )
  assert.equal(await codeOf(CALL), 'ServiceException 500')
  assert.equal(logged.length, 1)
  assert.match(await codeOf({ ...CALL, operation: 'toString' }), / 501$/)
  assert.match(await codeOf({ ...CALL, service: 'sqs' }), / 501$/)
})

test('local calls: before the services are there a call may be tried again; foreign ones go elsewhere', async () => {
  const calls = createLocalCalls({
    roleSession: () => assert.fail('not asked'),
    foreign: new Map([['sqs', { call: async () => ({ elsewhere: true }) }]]),
    endpoint: '',
    random: systemRandom,
    logger: { error: () => {} },
  })
  await assert.rejects(calls.call(CALL), { status: 500 })
  assert.deepEqual(await calls.call({ ...CALL, service: 'sqs' }), { elsewhere: true })
})
