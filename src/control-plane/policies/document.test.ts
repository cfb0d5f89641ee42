import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'

import { parsePolicy } from './document.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:fn'
const STATEMENT = { Effect: 'Allow', Principal: '*', Action: 'lambda:InvokeFunction', Resource: ARN }
const parse = (policy: unknown) => parsePolicy(JSON.stringify(policy), ARN)

test('a whole policy: one statement becomes a list, and nothing else is changed', () => {
  assert.deepEqual(parse({ Version: '2012-10-17', Statement: STATEMENT }), {
    Version: '2012-10-17',
    Statement: [STATEMENT],
  })
  const full = {
    Version: '2012-10-17',
    Id: 'mine',
    Statement: [
      STATEMENT,
      { ...STATEMENT, Sid: 'b', Principal: { Service: ['s3.amazonaws.com'] }, Action: '*', Resource: '*' },
      { Effect: 'Deny', NotPrincipal: { AWS: '123456789012' }, NotAction: 'lambda:Get*', Resource: [ARN] },
    ],
  }
  assert.deepEqual(parse(full), full)
})

test('a whole policy: what is none is refused', () => {
  const broken: readonly unknown[] = [
    [],
    'text',
    null,
    {},
    { Statement: [] },
    { Version: '2000-01-01', Statement: STATEMENT },
    { Id: 1, Statement: STATEMENT },
    { Statement: STATEMENT, More: 1 },
    { Statement: ['text'] },
    { Statement: { ...STATEMENT, Effect: 'Maybe' } },
    { Statement: { ...STATEMENT, Principal: undefined } },
    { Statement: { ...STATEMENT, Principal: 'somebody' } },
    { Statement: { ...STATEMENT, Principal: { AWS: 1 } } },
    { Statement: { ...STATEMENT, Action: 's3:GetObject' } },
    { Statement: { ...STATEMENT, Action: [] } },
    { Statement: { ...STATEMENT, Resource: `${ARN}2` } },
    { Statement: { ...STATEMENT, Resource: undefined } },
    { Statement: { ...STATEMENT, Condition: 'text' } },
    { Statement: { ...STATEMENT, Condition: { Bool: 'true' } } },
    { Statement: { ...STATEMENT, Condition: { StringLike: { key: {} } } } },
    { Statement: { ...STATEMENT, Condition: { StringLike: { key: [['deep']] } } } },
    { Statement: { ...STATEMENT, Sid: 1 } },
    { Statement: { ...STATEMENT, Extra: 1 } },
    {
      Statement: [
        { ...STATEMENT, Sid: 'a' },
        { ...STATEMENT, Sid: 'a' },
      ],
    },
  ]
  const isRefusal = (error: unknown) =>
    error instanceof LambdaError && error.code === 'InvalidParameterValueException'
  for (const policy of broken) assert.throws(() => parse(policy), isRefusal, JSON.stringify(policy))
  assert.throws(() => parsePolicy('{', ARN), isRefusal)
  const deep = `${'['.repeat(9_000)}${']'.repeat(9_000)}`
  assert.throws(() => parsePolicy(deep, ARN), isRefusal)
  const nested = JSON.stringify({ Statement: { ...STATEMENT, Condition: { Bool: { key: 0 } } } })
  assert.throws(() => parsePolicy(nested.replace(':0', `:${deep}`), ARN), isRefusal)
})
