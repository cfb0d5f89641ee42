import assert from 'node:assert/strict'
import { test } from 'node:test'

import { compileCondition, holds } from '#contracts/policy-evaluation/conditions.ts'

type Values = string | readonly string[] | undefined

/** Operator, value of the policy, value of the request (undefined: the key is missing), whether it holds. */
const CASES: readonly (readonly [string, unknown, Values, boolean])[] = [
  ['StringEquals', 'ada', 'ada', true],
  ['StringEquals', 'ada', 'Ada', false],
  ['StringEquals', ['bob', 'ada'], 'ada', true],
  ['StringEquals', 'a*', 'ab', false],
  ['StringEquals', 'ada', undefined, false],
  ['StringNotEquals', 'ada', 'bob', true],
  ['StringNotEquals', ['ada', 'bob'], 'bob', false],
  ['StringNotEquals', 'ada', undefined, true],
  ['StringEqualsIgnoreCase', 'ADA', 'ada', true],
  ['StringNotEqualsIgnoreCase', 'ADA', 'ada', false],
  ['StringLike', 'a*a', 'ada', true],
  ['StringLike', 'a?a', 'adda', false],
  ['StringNotLike', 'a*', 'ada', false],
  ['StringNotLike', 'a*', undefined, true],
  ['stringequals', 'ada', 'ada', true],
  ['StringEqualsIfExists', 'ada', undefined, true],
  ['StringEqualsIfExists', 'ada', 'bob', false],
  ['StringNotEqualsIfExists', 'ada', undefined, true],
  ['NumericEquals', '10', '10.0', true],
  ['NumericEquals', 10, '10', true],
  ['NumericNotEquals', '10', '11', true],
  ['NumericLessThan', '10', '9.5', true],
  ['NumericLessThan', '10', '10', false],
  ['NumericLessThanEquals', '10', '10', true],
  ['NumericGreaterThan', '10', '11', true],
  ['NumericGreaterThanEquals', '10', '9', false],
  ['NumericLessThan', '10', 'many', false],
  ['NumericLessThan', '10', undefined, false],
  ['DateGreaterThan', '2020-01-01T00:00:00Z', '2026-01-01T00:00:00Z', true],
  ['DateLessThan', '2020-01-01T00:00:00Z', '2026-01-01T00:00:00Z', false],
  ['DateLessThanEquals', '2026-01-01', '2026-01-01T00:00:00Z', true],
  ['DateEquals', '2026-01-01T01:00:00+01:00', '2026-01-01T00:00:00Z', true],
  ['DateGreaterThan', '1577836800', '2026-01-01T00:00:00Z', true],
  ['DateNotEquals', '2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z', true],
  ['DateGreaterThanEquals', '2026-01-01T00:00:00', '1767225600', true],
  ['Bool', 'true', 'true', true],
  ['Bool', true, 'true', true],
  ['Bool', 'True', 'true', true],
  ['Bool', 'false', 'true', false],
  ['Bool', 'false', undefined, false],
  ['BoolIfExists', 'true', undefined, true],
  ['BinaryEquals', 'QmluYXJ5', 'QmluYXJ5', true],
  ['BinaryEquals', 'QmluYXJ5', 'qmluYXJ5', false],
  ['IpAddress', '203.0.113.0/24', '203.0.113.9', true],
  ['IpAddress', '203.0.113.0/24', '203.0.114.9', false],
  ['IpAddress', '203.0.113.9', '203.0.113.9', true],
  ['IpAddress', '203.0.113.0/24', '::ffff:203.0.113.9', true],
  ['IpAddress', '0.0.0.0/0', '203.0.113.9', true],
  ['IpAddress', '0.0.0.0/0', '2001:db8::1', false],
  ['IpAddress', '2001:db8:1234:5678::/64', '2001:db8:1234:5678:9::1', true],
  ['IpAddress', '2001:DB8::/32', '2001:db9::1', false],
  ['IpAddress', '10.0.0.0/8', 'nonsense', false],
  ['NotIpAddress', '203.0.113.0/24', '203.0.113.9', false],
  ['NotIpAddress', '203.0.113.0/24', '198.51.100.1', true],
  ['NotIpAddress', '203.0.113.0/24', undefined, true],
  ['ArnLike', 'arn:aws:s3:::bucket*', 'arn:aws:s3:::bucket-1', true],
  ['ArnEquals', 'arn:aws:sns:*:123456789012:topic', 'arn:aws:sns:eu-west-1:123456789012:topic', true],
  // Each part by itself: a star does not reach over a colon, but the last part has colons of its own.
  ['ArnLike', 'arn:aws:sns:*:topic', 'arn:aws:sns:eu-west-1:123456789012:topic', false],
  ['ArnLike', 'arn:aws:lambda:*:*:function:*', 'arn:aws:lambda:eu-west-1:123456789012:function:a:1', true],
  ['ArnLike', 'arn:aws:*', 'arn:aws:s3:::bucket', false],
  ['ArnLike', '*', 'arn:aws:s3:::bucket', true],
  ['ArnLike', 'arn:aws:s3:::bucket', 'no arn', false],
  ['ArnNotLike', 'arn:aws:s3:::bucket*', 'arn:aws:s3:::other', true],
  ['ArnNotEquals', 'arn:aws:s3:::bucket', undefined, true],
  ['ArnLike', 'arn:aws:s3:::bucket', undefined, false],
  ['Null', 'true', undefined, true],
  ['Null', 'true', 'x', false],
  ['Null', 'false', 'x', true],
  ['Null', false, undefined, false],
  ['Null', 'true', [], true],
  ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'b'], true],
  ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'c'], false],
  ['ForAllValues:StringEquals', ['a', 'b'], ['a'], true],
  ['ForAllValues:StringEquals', ['a', 'b'], undefined, true],
  ['ForAllValues:StringEquals', ['a', 'b'], [], true],
  ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'b'], true],
  ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'd'], false],
  ['ForAnyValue:StringEquals', ['a', 'b'], undefined, false],
  ['ForAnyValue:StringLike', 'key*', ['other', 'key1'], true],
  ['ForAllValues:StringNotLike', 'key1*', ['key2', 'key3'], true],
  ['ForAllValues:StringNotLike', 'key1*', ['key1:x', 'key3'], false],
  ['ForAnyValue:StringNotEquals', 'a', ['a', 'b'], true],
  ['ForAnyValue:StringNotEquals', 'a', ['a'], false],
  ['ForAnyValue:StringNotEquals', 'a', undefined, false],
  ['ForAnyValue:StringEqualsIfExists', 'a', undefined, true],
]

for (const [operator, value, given, expected] of CASES) {
  test(`condition: ${operator} ${JSON.stringify(value)} ${expected ? 'holds' : 'does not hold'} for ${JSON.stringify(given)}`, () => {
    const condition = compileCondition(operator, { key: 'The:Key', value, variables: true })
    assert.ok(condition)
    const values = typeof given === 'string' ? [given] : given
    assert.equal(
      holds(condition, (key) => (key === 'the:key' ? values : undefined)),
      expected,
    )
  })
}

test('condition: values may name other keys of the request', () => {
  const condition = compileCondition('StringEquals', {
    key: 'aws:ResourceTag/owner',
    value: '${aws:username}',
    variables: true,
  })
  assert.ok(condition)
  const context = (owner: string) => (key: string) =>
    key === 'aws:username' ? ['ada'] : key === 'aws:resourcetag/owner' ? [owner] : undefined
  assert.equal(holds(condition, context('ada')), true)
  assert.equal(holds(condition, context('bob')), false)
})

for (const [operator, value] of [
  ['StringEquals', { a: 1 }],
  ['StringResembles', 'a'],
  ['ForSomeValues:StringEquals', 'a'],
  ['NumericEquals', 'many'],
  ['DateEquals', 'tomorrow'],
  ['IpAddress', '10.0.0.0/33'],
  ['IpAddress', '1.2.3'],
  ['Null', 'perhaps'],
] as const) {
  test(`condition: ${operator} ${JSON.stringify(value)} is not understood`, () => {
    assert.equal(compileCondition(operator, { key: 'k', value, variables: true }), undefined)
  })
}
