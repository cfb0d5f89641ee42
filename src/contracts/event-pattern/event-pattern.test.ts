import assert from 'node:assert/strict'
import { test } from 'node:test'

import { matchesPattern } from './match-pattern.ts'
import { parsePattern } from './parse-pattern.ts'

const matches = (pattern: object, event: unknown) => {
  const parsed = parsePattern(JSON.stringify(pattern))
  assert.ok(parsed, JSON.stringify(pattern))
  return matchesPattern(parsed, event)
}

test('event pattern: refuses what EventBridge refuses', () => {
  const refused = [
    '',
    'text',
    '"text"',
    '[]',
    'null',
    '{}',
    '{"a": 1}',
    '{"a": "b"}',
    '{"a": []}',
    '{"a": {}}',
    '{"a": [[1]]}',
    '{"a": [{}]}',
    '{"a": [{"unknown": 1}]}',
    '{"a": [{"constructor": 1}]}',
    '{"a": [{"prefix": 1}]}',
    '{"a": [{"prefix": "x", "suffix": "y"}]}',
    '{"a": [{"exists": "yes"}]}',
    '{"a": [{"numeric": [">"]}]}',
    '{"a": [{"numeric": ["<", 1, ">", 0]}]}',
    '{"a": [{"numeric": [">", 5, "<", 5]}]}',
    '{"a": [{"numeric": ["=", "5"]}]}',
    '{"a": [{"anything-but": []}]}',
    '{"a": [{"anything-but": ["x", 1]}]}',
    '{"a": [{"anything-but": {"numeric": ["=", 1]}}]}',
    '{"a": [{"cidr": "10.0.0.0"}]}',
    '{"a": [{"cidr": "10.0.0.0/33"}]}',
    '{"a": [{"wildcard": "a**"}]}',
    "{'a': ['b']}",
    '[{"eventName": ["INSERT"=123}]',
  ]
  for (const text of refused) assert.equal(parsePattern(text), undefined, text)
})

test('event pattern: compares values, null, empty texts and numbers', () => {
  assert.ok(matches({ a: ['x', 1, null, true] }, { a: 1 }))
  assert.ok(matches({ a: [null] }, { a: null }))
  assert.ok(!matches({ a: [null] }, {}))
  assert.ok(matches({ a: [''] }, { a: '' }))
  assert.ok(!matches({ a: [1] }, { a: '1' }))
  assert.ok(!matches({ toString: ['x'] }, {}))
  assert.ok(matches({ a: { b: ['x'] }, c: ['y'] }, { a: { b: 'x' }, c: 'y', d: 1 }))
  assert.ok(!matches({ a: { b: ['x'] }, c: ['y'] }, { a: { b: 'x' }, c: 'z' }))
})

test('event pattern: one element of a list is enough, of what is excluded too', () => {
  assert.ok(matches({ a: ['x'] }, { a: ['y', 'x'] }))
  assert.ok(matches({ a: { b: ['x'] } }, { a: [{ b: 'y' }, { b: 'x' }] }))
  assert.ok(matches({ a: [{ 'anything-but': ['x'] }] }, { a: ['y', 'x'] }))
})

test('event pattern: has the operators of the guide', () => {
  assert.ok(matches({ a: [{ prefix: 'ab' }] }, { a: 'abc' }))
  assert.ok(matches({ a: [{ prefix: { 'equals-ignore-case': 'AB' } }] }, { a: 'aBc' }))
  assert.ok(matches({ a: [{ suffix: '.png' }] }, { a: 'x.png' }))
  assert.ok(matches({ a: [{ 'equals-ignore-case': 'AbC' }] }, { a: 'aBc' }))
  assert.ok(matches({ a: [{ numeric: ['>', 0, '<=', 5] }] }, { a: 5 }))
  assert.ok(!matches({ a: [{ numeric: ['>', 0, '<=', 5] }] }, { a: 0 }))
  assert.ok(!matches({ a: [{ numeric: ['=', 5] }] }, { a: '5' }))
  assert.ok(matches({ a: [{ cidr: '10.0.0.0/24' }] }, { a: '10.0.0.255' }))
  assert.ok(!matches({ a: [{ cidr: '10.0.0.0/24' }] }, { a: '10.0.1.0' }))
  assert.ok(matches({ a: [{ wildcard: 'a*c*e' }] }, { a: 'abcde' }))
  assert.ok(!matches({ a: [{ wildcard: 'a*c*e' }] }, { a: 'abde' }))
  assert.ok(matches({ a: [{ wildcard: 'a\\*' }] }, { a: 'a*' }))
  assert.ok(!matches({ a: [{ wildcard: 'aa*aa' }] }, { a: 'aaa' }))
  assert.ok(matches({ a: [{ 'anything-but': ['x', 'y'] }] }, { a: 'z' }))
  assert.ok(!matches({ a: [{ 'anything-but': 'x' }] }, {}))
  assert.ok(!matches({ a: [{ 'anything-but': { prefix: 'x' } }] }, { a: 'xy' }))
})

test('event pattern: exists looks at leaves', () => {
  assert.ok(matches({ a: [{ exists: true }] }, { a: null }))
  assert.ok(!matches({ a: [{ exists: true }] }, { a: {} }))
  assert.ok(matches({ a: [{ exists: false }] }, {}))
  assert.ok(matches({ a: { b: [{ exists: false }] } }, {}))
  assert.ok(!matches({ a: { b: [{ exists: false }], c: ['x'] } }, {}))
})

test('event pattern: $or takes one of several, and is a name of its own otherwise', () => {
  const pattern = { $or: [{ a: ['x'] }, { b: [1] }], c: ['y'] }
  assert.ok(matches(pattern, { a: 'x', c: 'y' }))
  assert.ok(matches(pattern, { b: 1, c: 'y' }))
  assert.ok(!matches(pattern, { b: 1 }))
  assert.ok(!matches(pattern, { c: 'y' }))
  assert.ok(matches({ $or: ['x'] }, { $or: 'x' }))
})
