/**
 * The language of event patterns, case by case: what each pattern lets through and what it does not. Sources: "Comparison
 * operators" and "Considerations" of EventBridge's guide, answers recorded from AWS, what aws/event-ruler is known to do.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { compilePattern } from './event-pattern.ts'

interface Case {
  readonly pattern: object | string
  readonly passes?: readonly unknown[]
  readonly fails?: readonly unknown[]
}
/** A pattern on the field `a`, and values of it. */
const field = (tests: readonly unknown[], passes: readonly unknown[], fails: readonly unknown[]): Case => ({
  pattern: { a: tests },
  passes: passes.map((a) => ({ a })),
  fails: fails.map((a) => ({ a })),
})

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'exact values': [
    field(['x'], ['x', ['x'], ['y', 'x'], [['x']]], ['X', 'xx', '', ' x', 1, null, true, {}, [], { x: 'x' }]),
    field(['x', 'y'], ['x', 'y', ['z', 'y']], ['z', 'xy']),
    field([''], ['', ['']], [null, [], ' ']),
    field([5], [5, 5.0, [4, 5]], ['5', 6, 5.01, null]),
    field([3.018e2], [301.8], [301, '301.8']),
    field([0], [0, -0], [false, null, '0', '']),
    field([true], [true], ['true', false, 1, null]),
    field([false], [false], ['false', true, 0, null]),
    field([null], [null, [null]], ['null', '', 0, false, [], {}]),
    field(['ü'], ['ü'], ['u', 'Ü']),
    field(['a"b\\c'], ['a"b\\c'], ['abc']),
    field([123456789012], [123456789012], ['123456789012', 123456789013]),
    { pattern: { a: [null] }, fails: [{}, { b: null }] },
    { pattern: { A: ['x'] }, fails: [{ a: 'x' }] },
    { pattern: { toString: ['x'] }, fails: [{}, { a: 'x' }] },
    { pattern: { __proto__x: ['x'] }, passes: [{ __proto__x: 'x' }] },
  ],
  'several fields': [
    {
      pattern: { a: ['x'], b: ['y'] },
      passes: [
        { a: 'x', b: 'y' },
        { b: 'y', a: 'x', c: 'z' },
      ],
      fails: [{ a: 'x' }, { b: 'y' }, { a: 'y', b: 'x' }, {}],
    },
    {
      pattern: { a: { b: ['x'], c: [1] } },
      passes: [{ a: { b: 'x', c: 1 } }, { a: [{ b: 'x', c: 1 }] }, { a: [{ b: 'y' }, { b: 'x', c: 1 }] }],
      fails: [{ a: { b: 'x' } }, { a: 'x' }, { a: null }, { a: [{ b: 'x' }, { c: 1 }] }, { b: 'x', c: 1 }],
    },
    {
      pattern: { a: { b: { c: { d: ['deep'] } } } },
      passes: [{ a: { b: { c: { d: 'deep' } } } }, { a: [{ b: [{ c: [{ d: ['deep'] }] }] }] }],
      fails: [{ a: { b: { c: 'deep' } } }, { a: { d: 'deep' } }],
    },
    {
      pattern: { source: ['aws.ec2'], detail: { state: ['running', 'pending'], n: [{ numeric: ['>', 1] }] } },
      passes: [{ source: 'aws.ec2', detail: { state: 'pending', n: 2 } }],
      fails: [
        { source: 'aws.ec2', detail: { state: 'pending', n: 1 } },
        { source: 'aws.s3', detail: { state: 'pending', n: 2 } },
        { source: 'aws.ec2', detail: { state: 'stopped', n: 2 } },
      ],
    },
    {
      pattern: { l: { x: ['1'], y: ['2'], z: ['3'] } },
      passes: [{ l: [{ x: '1', y: '2', z: '3' }, {}] }],
      fails: [{ l: [{ x: '1', y: '2' }, { z: '3' }] }],
    },
  ],
  'names with dots': [
    {
      pattern: { 'a.b': ['x'] },
      passes: [{ 'a.b': 'x' }, { a: { b: 'x' } }],
      fails: [{ a: 'x' }, { b: 'x' }, { 'a.b': 'y' }],
    },
    { pattern: { a: { b: ['x'] } }, passes: [{ 'a.b': 'x' }], fails: [{ 'a.c': 'x' }] },
    {
      pattern: { detail: { state: { status: ['running'] } } },
      passes: [{ detail: { 'state.status': 'running' } }, { 'detail.state': { status: 'running' } }],
      fails: [{ detail: { 'state.status': { status: 'running' } } }],
    },
    { pattern: { d: { 's.t': { t: ['x'] } } }, fails: [{ d: { s: { t: 'x' } } }] },
    {
      pattern: { 'a.b': ['x'], a: { c: ['y'] } },
      passes: [{ a: { b: 'x', c: 'y' } }],
      fails: [{ a: { c: 'y' } }],
    },
  ],
  'prefix and suffix': [
    field([{ prefix: 'ab' }], ['ab', 'abc', ['x', 'abc']], ['a', 'xab', 'AB', null, 12, '', []]),
    field([{ prefix: '' }], ['', 'x'], [null, 1]),
    field([{ prefix: 'us-' }, { prefix: 'eu-' }], ['us-east-1', 'eu-west-1'], ['ap-south-1', 'us']),
    field(
      [{ prefix: { 'equals-ignore-case': 'EventB' } }],
      ['eventbridge', 'EVENTBUS'],
      ['event', 'xeventb', 1],
    ),
    field([{ suffix: '.png' }], ['.png', 'a.png', ['b', 'a.png']], ['png', 'a.PNG', 'a.png ', null, 1]),
    field([{ suffix: '' }], ['', 'x'], [null]),
    field([{ suffix: { 'equals-ignore-case': '.PNG' } }], ['a.png', 'a.PnG'], ['a.jpg', 'png', null]),
    field([{ exactly: 'x' }], ['x'], ['X', 'y']),
  ],
  'equals-ignore-case': [
    field([{ 'equals-ignore-case': 'AbC' }], ['abc', 'ABC', 'aBc', ['x', 'ABC']], ['ab', 'abcd', null, 1]),
    field([{ 'equals-ignore-case': '' }], [''], [' ', null]),
    field([{ 'equals-ignore-case': 'ÄÖ' }], ['äö', 'Äö'], ['ao']),
  ],
  wildcards: [
    field([{ wildcard: '*' }], ['', 'x', 'a*b'], [null, 1, true]),
    field([{ wildcard: 'a*' }], ['a', 'ab', 'a*'], ['b', 'ba', '']),
    field([{ wildcard: '*a' }], ['a', 'ba'], ['ab', '']),
    field([{ wildcard: 'a*c*e' }], ['ace', 'abcde', 'accee'], ['abde', 'aec', 'ac']),
    field([{ wildcard: 'aa*aa' }], ['aaaa', 'aaxaa'], ['aaa', 'aa']),
    field([{ wildcard: 'a\\*b' }], ['a*b'], ['axb', 'ab', 'a\\*b']),
    field([{ wildcard: 'a\\\\b' }], ['a\\b'], ['ab', 'a\\\\b']),
    field([{ wildcard: 'plain' }], ['plain'], ['plainx']),
    field([{ wildcard: '' }], [''], ['x']),
    field(
      [{ wildcard: '/Users/*/dir/dir/dir/doc.txt' }],
      ['/Users/u/dir/dir/dir/doc.txt'],
      ['/Users/u/dir/dir/doc.txt'],
    ),
    field(
      [{ wildcard: 'arn:aws:events:*:*:event-bus/*' }],
      ['arn:aws:events:us-east-1:1:event-bus/b'],
      ['arn:aws:s3:::b'],
    ),
    field([{ wildcard: '*/ü/*' }], ['a/ü/b'], ['a/u/b']),
  ],
  'anything-but': [
    field([{ 'anything-but': 'x' }], ['y', '', null, 1, true, ['x', 'y']], ['x', ['x'], []]),
    field([{ 'anything-but': ['x', 'y'] }], ['z', null, ['x', 'z']], ['x', 'y', ['x', 'y']]),
    field([{ 'anything-but': 5 }], [6, '5', null], [5, 5.0]),
    field([{ 'anything-but': [1, 2] }], [3, '1'], [1, 2]),
    field([{ 'anything-but': 0 }], [1, false, ''], [0]),
    field([{ 'anything-but': { prefix: 'ab' } }], ['xab', 'a', null, 1], ['ab', 'abc']),
    field([{ 'anything-but': { prefix: ['ab', 'cd'] } }], ['x'], ['abx', 'cdx']),
    field([{ 'anything-but': { suffix: '.png' } }], ['a.jpg', null], ['a.png']),
    field([{ 'anything-but': { suffix: ['.png', '.jpg'] } }], ['a.txt'], ['a.png', 'a.jpg']),
    field([{ 'anything-but': { 'equals-ignore-case': 'Run' } }], ['runs', null], ['run', 'RUN']),
    field([{ 'anything-but': { 'equals-ignore-case': ['a', 'B'] } }], ['c'], ['A', 'b']),
    field([{ 'anything-but': { wildcard: '*/dir/*' } }], ['a/b'], ['a/dir/b']),
    field([{ 'anything-but': { wildcard: ['*/x', 'y/*'] } }], ['z'], ['a/x', 'y/a']),
    field([{ 'anything-but': { wildcard: '' } }], ['dir/file'], ['']),
    { pattern: { a: [{ 'anything-but': 'x' }] }, fails: [{}, { b: 'y' }] },
    {
      pattern: { a: [{ 'anything-but': 'x' }, { exists: false }] },
      passes: [{}, { a: 'y' }],
      fails: [{ a: 'x' }],
    },
  ],
  numbers: [
    field([{ numeric: ['=', 5] }], [5, 5.0, [4, 5]], ['5', 4, null, true]),
    field([{ numeric: ['>', 0] }], [0.001, 1e9], [0, -1, '1']),
    field([{ numeric: ['>=', 0] }], [0, 1], [-0.1]),
    field([{ numeric: ['<', 10] }], [9.99, -5], [10]),
    field([{ numeric: ['<=', 10] }], [10], [10.01]),
    field([{ numeric: ['>', 0, '<=', 5] }], [5, 0.5], [0, 5.5, null]),
    field([{ numeric: ['>=', -5, '<', 5] }], [-5, 4], [5, -5.1]),
    field([{ numeric: ['=', 3.018e2] }], [301.8], [301.9]),
    field([{ numeric: ['<', 0] }, { numeric: ['>', 10] }], [-1, 11], [0, 10, 5]),
  ],
  addresses: [
    field(
      [{ cidr: '10.0.0.0/24' }],
      ['10.0.0.0', '10.0.0.255', ['1.1.1.1', '10.0.0.7']],
      ['10.0.1.0', '10.0.0', 'x', 1],
    ),
    field([{ cidr: '0.0.0.0/0' }], ['1.2.3.4'], ['::1']),
    field([{ cidr: '10.0.0.128/25' }], ['10.0.0.200'], ['10.0.0.127']),
    field(
      [{ cidr: '2001:db8:1234:1a00::/56' }],
      ['2001:db8:1234:1a00::1', '2001:0db8:1234:1aff:ffff::'],
      ['2001:db8:1235::', '10.0.0.1'],
    ),
  ],
  exists: [
    field([{ exists: true }], ['x', '', 0, false, null, ['x'], [null]], [{}, { b: 1 }, [], [{ b: 1 }]]),
    field([{ exists: false }], [{ b: 1 }, [], {}], ['x', null, ['x']]),
    { pattern: { a: [{ exists: false }] }, passes: [{}, { b: 1 }] },
    { pattern: { a: [{ exists: true }] }, fails: [{}, { b: 1 }] },
    {
      pattern: { a: { b: [{ exists: false }] } },
      passes: [{}, { a: {} }, { a: { c: 1 } }, { a: 'x' }, { a: [] }],
      fails: [{ a: { b: 1 } }],
    },
    {
      pattern: { a: { b: [{ exists: false }] } },
      fails: [{ a: [{ b: 1 }, { c: 1 }] }],
      passes: [{ a: [{ c: 1 }] }],
    },
    {
      pattern: { a: { b: [{ exists: false }], c: ['x'] } },
      passes: [{ a: { c: 'x' } }],
      fails: [{}, { a: { b: 1, c: 'x' } }],
    },
    {
      pattern: { d: { N: { h: { S: [{ 'anything-but': ['roses'] }, { exists: false }] } } } },
      passes: [{ d: { N: { p: { N: '1' } } } }, { d: { N: { h: { S: 'tulips' } } } }],
      fails: [{ d: { N: { h: { S: 'roses' } } } }],
    },
  ],
  $or: [
    {
      pattern: { $or: [{ a: ['x'] }, { b: [1] }], c: ['y'] },
      passes: [
        { a: 'x', c: 'y' },
        { b: 1, c: 'y' },
        { a: 'x', b: 1, c: 'y' },
      ],
      fails: [{ b: 1 }, { c: 'y' }, { a: 'z', c: 'y' }],
    },
    {
      pattern: {
        d: { $or: [{ n: [{ numeric: ['>', 5] }] }, { s: [{ prefix: 'p' }] }, { e: [{ exists: false }] }] },
      },
      passes: [{ d: { n: 6, e: 1 } }, { d: { s: 'px', e: 1 } }, { d: { n: 1 } }],
      fails: [{ d: { n: 5, s: 'x', e: 1 } }],
    },
    {
      pattern: { $or: [{ a: { b: ['x'] }, c: ['y'] }, { $or: [{ e: [1] }, { f: [2] }] }] },
      passes: [{ a: { b: 'x' }, c: 'y' }, { e: 1 }, { f: 2 }],
      fails: [{ a: { b: 'x' } }, { e: 2, f: 1 }],
    },
    { pattern: { $or: ['x'] }, passes: [{ $or: 'x' }], fails: [{ $or: 'y' }, {}] },
  ],
  'mixed conditions': [
    field([null, { prefix: 'a' }, 7, { suffix: 'z' }], [null, 'ab', 7, 'xz'], ['b', 8, true]),
    field([{ exists: false }, { numeric: ['<', 0] }], [-1], [1, 'x']),
    field(['x', { 'equals-ignore-case': 'Y' }, { wildcard: 'q*r' }], ['x', 'y', 'qr'], ['X', 'q']),
  ],
}

let count = 0
for (const [name, cases] of Object.entries(CASES)) {
  test(`event pattern: ${name}`, () => {
    for (const { pattern, passes = [], fails = [] } of cases) {
      const text = typeof pattern === 'string' ? pattern : JSON.stringify(pattern)
      const compiled = compilePattern(text)
      for (const event of passes) assert.ok(compiled.matches(event), `${text} takes ${JSON.stringify(event)}`)
      for (const event of fails)
        assert.ok(!compiled.matches(event), `${text} refuses ${JSON.stringify(event)}`)
      count += passes.length + fails.length
    }
  })
}
test('event pattern: the table has more than three hundred cases', () => assert.ok(count >= 300, `${count}`))
