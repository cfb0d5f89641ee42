import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'

import { AWS_POLICIES } from './aws-policies.ts'
import { checkIdentityPolicy, checkTrustPolicy, encodeDocument, policySize } from './policy-document.ts'

const statement = (more: object) => ({ Effect: 'Allow', Action: 's3:Get*', Resource: '*', ...more })
const policy = (...statements: object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements })

function refusal(check: (document: string) => void, document: string): string | undefined {
  try {
    check(document)
  } catch (error) {
    assert.ok(error instanceof LambdaError)
    assert.equal(error.code, 'MalformedPolicyDocument')
    return error.message
  }
  return undefined
}

test('policies: those that AWS publishes are good', () => {
  for (const { versions } of AWS_POLICIES.values()) {
    for (const { document } of versions) assert.equal(refusal(checkIdentityPolicy, document), undefined)
  }
})

test('policies: one statement may stand without a list', () => {
  const single = JSON.stringify({ Version: '2012-10-17', Statement: statement({ Sid: 'One' }) })
  assert.equal(refusal(checkIdentityPolicy, single), undefined)
})

test('policies: conditions are known operators with values', () => {
  const withCondition = (Condition: unknown) => refusal(checkIdentityPolicy, policy(statement({ Condition })))
  assert.equal(withCondition({ 'ForAnyValue:StringLikeIfExists': { 'aws:TagKeys': ['a'] } }), undefined)
  assert.equal(withCondition({ Bool: { 'aws:SecureTransport': true } }), undefined)
  for (const bad of [
    'no',
    [],
    { StringEqual: { a: 'b' } },
    { StringEquals: 'b' },
    { StringEquals: { a: {} } },
  ]) {
    assert.equal(withCondition(bad), 'Syntax errors in policy.')
  }
})

test('policies: what has no sense is refused', () => {
  for (const bad of [
    '',
    '[]',
    '"text"',
    'null',
    '{"Version":"2012-10-17"}',
    '{"Version":"2012-10-17","Statement":[]}',
    '{"Version":"2013-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
    policy(statement({ Principal: '*' })),
    policy(statement({ NotAction: 'x:y' })),
    policy(statement({ Action: 7 })),
    policy(statement({ Effect: 'Perhaps' })),
  ]) {
    assert.equal(refusal(checkIdentityPolicy, bad), 'Syntax errors in policy.', bad)
  }
  assert.equal(
    refusal(checkIdentityPolicy, policy(statement({ Effect: 'allow' }))),
    'The policy failed legacy parsing',
  )
  const twice = policy(statement({ Sid: 'A' }), statement({ Sid: 'A' }))
  assert.equal(refusal(checkIdentityPolicy, twice), 'Statement IDs (SID) in a single policy must be unique.')
  assert.equal(
    refusal(checkIdentityPolicy, policy(statement({ Action: 'a:b:c' }))),
    'Actions/Condition can contain only one colon.',
  )
  assert.equal(
    refusal(checkIdentityPolicy, policy(statement({ Action: 'a b:c' }))),
    'Vendor a b is not valid',
  )
})

test('trust policies: name principals and nothing but AssumeRole', () => {
  const trust = (more: object) =>
    refusal(
      checkTrustPolicy,
      policy({
        Effect: 'Allow',
        Principal: { Service: 'lambda.amazonaws.com' },
        Action: 'sts:AssumeRole',
        ...more,
      }),
    )
  assert.equal(trust({}), undefined)
  assert.equal(trust({ Principal: '*' }), undefined)
  assert.equal(trust({ Principal: { AWS: ['123456789012', 'arn:aws:iam::123456789012:user/a'] } }), undefined)
  assert.equal(trust({ Action: ['sts:AssumeRole', 'sts:TagSession'] }), undefined)
  assert.equal(trust({ Action: 's3:*' }), 'AssumeRole policy may only specify STS AssumeRole actions.')
  assert.equal(trust({ Principal: undefined }), 'Missing required field Principal')
  assert.equal(trust({ Principal: { AWS: 'somebody' } }), 'Invalid principal in policy: "AWS":"somebody"')
  assert.equal(trust({ Resource: '*' }), 'Has prohibited field Resource')
})

test('policies: white space does not count, and nothing but unreserved characters travels', () => {
  assert.equal(policySize('{ "a" :\n\t1 }'), 7)
  assert.equal(encodeDocument(`{"a": "(*)'!"}`), '%7B%22a%22%3A%20%22%28%2A%29%27%21%22%7D')
})
