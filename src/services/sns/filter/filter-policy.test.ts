import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { MessageAttributes } from '../message-attributes.ts'
import { filterable, matchesFilter } from './matches-filter.ts'
import { parseFilterPolicy, type FilterScope } from './parse-filter-policy.ts'

type Attributes = Readonly<Record<string, readonly [type: string, value: string]>>

function passes(policy: object, scope: FilterScope, body: string, attributes: Attributes = {}): boolean {
  const result = parseFilterPolicy(JSON.stringify(policy), scope)
  assert.ok('pattern' in result, JSON.stringify(result))
  const given: MessageAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, [type, value]]) => [name, { type, value }]),
  )
  return matchesFilter(result.pattern, scope, filterable(body, given))
}

const text = (value: string) => ['String', value] as const
const number = (value: string) => ['Number', value] as const
const list = (...values: readonly unknown[]) => ['String.Array', JSON.stringify(values)] as const

const ON_ATTRIBUTES: readonly (readonly [policy: object, attributes: Attributes, passes: boolean])[] = [
  // SNS's guide, "String value matching".
  [{ interests: ['rugby', 'tennis'] }, { interests: text('rugby') }, true],
  [{ interests: ['rugby', 'tennis'] }, { interests: text('tennis') }, true],
  [{ interests: ['rugby', 'tennis'] }, { interests: list('rugby', 'tennis') }, true],
  [{ interests: ['rugby', 'tennis'] }, { interests: text('baseball') }, false],
  [{ interests: ['rugby', 'tennis'] }, { interests: list('baseball') }, false],
  [{ interests: [{ 'anything-but': ['rugby', 'tennis'] }] }, { interests: text('baseball') }, true],
  [{ interests: [{ 'anything-but': ['rugby', 'tennis'] }] }, { interests: text('rugby') }, false],
  [{ interests: [{ 'anything-but': ['rugby', 'tennis'] }] }, { interests: list('rugby', 'baseball') }, true],
  [{ interests: [{ 'anything-but': ['rugby', 'tennis'] }] }, { interests: list('rugby') }, false],
  [{ interests: [{ 'anything-but': 'rugby' }] }, {}, false],
  [{ event: [{ 'anything-but': { prefix: 'order-' } }] }, { event: text('data-entry') }, true],
  [{ event: [{ 'anything-but': { prefix: 'order-' } }] }, { event: text('order-cancelled') }, false],
  [{ interests: [{ 'equals-ignore-case': 'tennis' }] }, { interests: text('TENNIS') }, true],
  [{ interests: [{ 'equals-ignore-case': 'tennis' }] }, { interests: text('Tenni') }, false],
  [{ source_ip: [{ cidr: '10.0.0.0/24' }] }, { source_ip: text('10.0.0.255') }, true],
  [{ source_ip: [{ cidr: '10.0.0.0/24' }] }, { source_ip: text('10.1.1.0') }, false],
  [{ source_ip: [{ cidr: '10.0.0.0/24' }] }, { source_ip: text('nowhere') }, false],
  [{ source_ip: [{ cidr: '2001:db8::/32' }] }, { source_ip: text('2001:db8::1') }, true],
  [{ interests: [{ prefix: 'bas' }] }, { interests: text('baseball') }, true],
  [{ interests: [{ prefix: 'bas' }] }, { interests: text('rugby') }, false],
  [{ interests: [{ suffix: 'ball' }] }, { interests: text('baseball') }, true],
  [{ interests: [{ suffix: 'ball' }] }, { interests: text('ballast') }, false],
  [{ interests: [{ prefix: 'soc' }] }, { interests: list('rugby', 'soccer') }, true],
  [{ interests: ['Rugby'] }, { interests: text('rugby') }, false],
  // "Numeric value matching".
  [{ price: [{ numeric: ['=', 301.5] }] }, { price: number('301.5') }, true],
  [{ price: [{ numeric: ['=', 301.5] }] }, { price: number('3.015e2') }, true],
  [{ price: [{ 'anything-but': [100, 500] }] }, { price: number('101') }, true],
  [{ price: [{ 'anything-but': [100, 500] }] }, { price: number('100.1') }, true],
  [{ price: [{ 'anything-but': [100, 500] }] }, { price: number('100') }, false],
  [{ price: [{ 'anything-but': [100, 500] }] }, { price: list(100, 50) }, true],
  [{ price: [{ numeric: ['<', 0] }] }, { price: number('-1') }, true],
  [{ price: [{ numeric: ['>', 0, '<=', 150] }] }, { price: number('150') }, true],
  [{ price: [{ numeric: ['>', 0, '<=', 150] }] }, { price: number('0') }, false],
  [{ price: [{ numeric: ['>', 0, '<=', 150] }] }, { price: number('151') }, false],
  [{ price: [{ numeric: ['>=', 100] }] }, { price: number('100') }, true],
  [{ price: [{ numeric: ['<', 100] }] }, { price: number('100') }, false],
  [{ price: [{ numeric: ['=', 300] }] }, { price: text('300') }, false],
  [{ price: [{ numeric: ['=', 300] }] }, { price: text('test') }, false],
  [{ price: [{ numeric: ['=', 3] }] }, { price: list('a', 3) }, true],
  [{ price: [300] }, { price: number('300') }, true],
  [{ price: [{ numeric: ['=', 300] }, { numeric: ['=', 500] }] }, { price: number('500') }, true],
  // "Attribute key matching".
  [{ store: [{ exists: true }] }, { store: text('fans') }, true],
  [{ store: [{ exists: true }] }, { other: text('fans') }, false],
  [{ store: [{ exists: false }] }, { other: text('fans') }, true],
  [{ store: [{ exists: false }] }, { store: text('fans') }, false],
  [{ store: [{ exists: false }, { 'anything-but': 'x' }] }, {}, true],
  // Types that filters do not see; an attribute that is not there is not null (recorded from AWS).
  [{ data: [{ exists: true }] }, { data: ['Binary', 'AAEC'] }, false],
  [{ data: [{ exists: true }] }, { data: ['String.custom', 'x'] }, false],
  [{ attr1: [null, { 'anything-but': 'whatever' }] }, {}, false],
  // "AND/OR logic".
  [{ a: ['x'], b: [{ numeric: ['>', 100] }] }, { a: text('x'), b: number('101') }, true],
  [{ a: ['x'], b: [{ numeric: ['>', 100] }] }, { a: text('x'), b: number('99') }, false],
  [{ a: ['x'], b: [{ numeric: ['>', 100] }] }, { b: number('101') }, false],
  [{ a: ['x', 'y', { prefix: 'z' }] }, { a: text('zoo') }, true],
  [{ a: ['x'], $or: [{ b: ['1'] }, { c: ['2'] }] }, { a: text('x'), c: text('2') }, true],
  [{ a: ['x'], $or: [{ b: ['1'] }, { c: ['2'] }] }, { a: text('x') }, false],
  [{ a: ['x'], $or: [{ b: ['1'] }, { c: ['2'] }] }, { b: text('1') }, false],
  [{ $or: ['x', 'y'] }, { $or: text('y') }, true],
  [{ a: [''] }, { a: text('') }, true],
  [{ a: [true] }, { a: list(true) }, true],
  [{ a: [null] }, { a: list(null) }, true],
  [{ a: ['x'] }, { a: ['String.Array', 'no json'] }, false],
]

test('sns filter: on attributes', () => {
  for (const [policy, attributes, expected] of ON_ATTRIBUTES) {
    const told = `${JSON.stringify(policy)} of ${JSON.stringify(attributes)}`
    assert.equal(passes(policy, 'MessageAttributes', 'ignored', attributes), expected, told)
  }
})

const ON_BODIES: readonly (readonly [policy: object, body: unknown, passes: boolean])[] = [
  // Recorded from AWS by clients: nested names, names with dots, lists of texts and of objects.
  [{ object: { key: [{ prefix: 'auto-' }] } }, { object: { key: 'auto-test' } }, true],
  [{ object: { key: [{ prefix: 'auto-' }] } }, { object: { key: 'test' } }, false],
  [{ object: { key: [{ prefix: 'auto-' }] } }, { object: 'auto-test' }, false],
  [{ 'object.nested': ['string.value'] }, { object: { nested: 'string.value' } }, true],
  [{ 'object.nested': ['string.value'] }, { 'object.nested': 'string.value' }, true],
  [{ 'object.nested': { test: ['v'] } }, { object: { nested: { test: 'v' } } }, true],
  [{ 'object.nested': { test: ['v'] } }, { 'object.nested.test': 'v' }, true],
  [{ object: { 'nested.test': ['v'] } }, { 'object.nested': { test: 'v' } }, true],
  [{ headers: { 'route-to': ['queue1'] } }, { headers: { 'route-to': ['queue1', 'queue2'] } }, true],
  [{ headers: { 'route-to': ['queue1'] } }, { headers: { 'route-to': ['queue2'] } }, false],
  [
    {
      Records: { eventName: [{ prefix: 'ObjectCreated:' }], s3: { object: { key: [{ prefix: 'auto-' }] } } },
    },
    {
      Records: [
        { eventName: 'ObjectCreated:Put', s3: { object: [[{ key: 'auto-insurance-2314.xml' }]] } },
        { eventName: 'ObjectRemoved:Delete', s3: { object: { key: 'home-insurance-2314.xml' } } },
      ],
    },
    true,
  ],
  // SNS's guide.
  [{ price: [{ numeric: ['=', 301.5] }] }, { price: 3.015e2 }, true],
  [{ price: [{ numeric: ['=', 301.5] }] }, { price: '301.5' }, false],
  [{ interests: [{ 'anything-but': ['rugby', 'tennis'] }] }, { interests: ['rugby', 'baseball'] }, true],
  [{ store: [{ exists: true }] }, { store: 'fans' }, true],
  [{ store: [{ exists: false }] }, { other: 1 }, true],
  [{ a: [null] }, { a: null }, true],
  [{ a: [true] }, { a: true }, true],
  [{ a: [true] }, { a: 'true' }, false],
  [{ $or: [{ a: ['x'] }, { b: { c: ['y'] } }] }, { b: { c: 'y' } }, true],
  // What is no object passes nothing.
  [{ a: [{ exists: false }] }, 'text', false],
  [{ a: [{ exists: false }] }, [{ b: 1 }], false],
]

test('sns filter: on bodies', () => {
  for (const [policy, body, expected] of ON_BODIES) {
    const told = `${JSON.stringify(policy)} of ${JSON.stringify(body)}`
    assert.equal(passes(policy, 'MessageBody', JSON.stringify(body)), expected, told)
  }
  assert.equal(passes({ a: [{ exists: false }] }, 'MessageBody', 'no json'), false)
})

const place = (column: number) =>
  `\n at [Source: REDACTED (\`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION\` disabled); line: 1, column: ${column}]`

/** All recorded from AWS; the positions from 2024, when the source still stood there. */
const REFUSED: readonly (readonly [policy: string, problem: string])[] = [
  ['{"key":[["value"]]}', `Match value must be String, number, true, false, or null${place(10)}`],
  ['{"key":[{"wrong-operator":true}]}', `Unrecognized match type wrong-operator${place(31)}`],
  ['{"key":[{"suffix":"value","prefix":"value2"}]}', `Only one key allowed in match expression${place(37)}`],
  ['{"key":[{"suffix":100}]}', `suffix match pattern must be a string${place(22)}`],
  ['{"key":[{"suffix":null}]}', `suffix match pattern must be a string${place(23)}`],
  ['{"key":[{"suffix":[]}]}', `suffix match pattern must be a string${place(20)}`],
  ['{"key":{"suffix":"value"}}', `"suffix" must be an object or an array${place(19)}`],
  ['{"key":[{"numeric":[]}]}', `Invalid member in numeric match: ]${place(22)}`],
  ['{"key":[{"numeric":["operator"]}]}', `Unrecognized numeric range operator: operator${place(32)}`],
  ['{"key":[{"numeric":[1,"<="]}]}', `Invalid member in numeric match: 1${place(22)}`],
  ['{"key":[{"numeric":["=","000"]}]}', `Value of equals must be numeric${place(26)}`],
  ['{"key":[{"numeric":[">="]}]}', `Value of >= must be numeric${place(26)}`],
  ['{"key":[{"numeric":["<",100,">",10]}]}', `Too many elements in numeric expression${place(30)}`],
  ['{"key":[{"numeric":[">=",1,">",2]}]}', `Bad numeric range operator: >${place(31)}`],
  ['{"key":[{"numeric":[">",3,"<",1]}]}', `Bottom must be less than top${place(33)}`],
  ['{"key":[{"numeric":[">",20,"<="]}]}', `Value of <= must be numeric${place(33)}`],
  ['{"key":[{"numeric":[">",20,30]}]}', `Bad value in numeric range: 30${place(30)}`],
  ['{"key":[{"numeric":[">",20,"test"]}]}', `Bad numeric range operator: test${place(34)}`],
  ['{"key":[{"numeric":[">",20,"<",30,"<",50]}]}', `Too many terms in numeric range expression${place(36)}`],
  ['{"key":[{"exists":null}]}', `exists match pattern must be either true or false.${place(23)}`],
  ['{"key":[{"exists":"no"}]}', `exists match pattern must be either true or false.${place(20)}`],
  [
    '{"key":[{"anything-but":{"wrong-operator":null}}]}',
    `Unsupported anything-but pattern: wrong-operator${place(47)}`,
  ],
  ['{"key":[{"anything-but":{"suffix":"test"}}]}', `Unsupported anything-but pattern: suffix${place(36)}`],
  ['{"key":[{"anything-but":{"exists":false}}]}', `Unsupported anything-but pattern: exists${place(40)}`],
  ['{"key":[{"anything-but":{"prefix":false}}]}', `prefix match pattern must be a string${place(40)}`],
  ['{"key_a":"value_one"}', `"key_a" must be an object or an array${place(11)}`],
  [
    '{invalidjson}',
    `failed to parse JSON. Unexpected character ('i' (code 105)): was expecting double-quote to start field name${place(2)}`,
  ],
  [
    'invalid',
    `failed to parse JSON. Unrecognized token 'invalid': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')${place(8)}`,
  ],
]

test('sns filter: refuses in the words of AWS', () => {
  for (const [policy, problem] of REFUSED) {
    assert.deepEqual(parseFilterPolicy(policy, 'MessageAttributes'), { problem: `FilterPolicy: ${problem}` })
  }
})

test('sns filter: has no wildcards and no operators within operators', () => {
  for (const policy of [
    { a: [{ wildcard: 'a*' }] },
    { a: [{ prefix: { 'equals-ignore-case': 'a' } }] },
    { a: [{ 'anything-but': { 'equals-ignore-case': 'a' } }] },
  ]) {
    assert.ok('problem' in parseFilterPolicy(JSON.stringify(policy), 'MessageBody'), JSON.stringify(policy))
  }
})

test('sns filter: has bounds', () => {
  const problem = (policy: object, scope: FilterScope = 'MessageBody') => {
    const result = parseFilterPolicy(JSON.stringify(policy), scope)
    return 'problem' in result ? result.problem : undefined
  }
  const keys = Object.fromEntries([...'abcdef'].map((name) => [name, ['x']]))
  const values = (count: number) => Array.from({ length: count }, (_, index) => `v${index}`)
  const tooComplex = 'FilterPolicy: Filter policy is too complex'
  assert.equal(problem(keys), 'FilterPolicy: Filter policy can not have more than 5 keys')
  assert.equal(problem({ a: values(151) }), tooComplex)
  assert.equal(problem({ a: values(150) }), undefined)
  assert.equal(problem({ a: values(16), b: values(10) }), tooComplex)
  // The guide's example: 3 x 4 levels and values, 2 x 3, 1 x 3 are 216.
  const nested = { a: { b: { c: values(4) } }, d: { e: values(3) }, f: values(3) }
  assert.equal(problem(nested), tooComplex)
  assert.equal(problem({ a: { b: { c: values(4) } }, d: { e: values(3) } }), undefined)
  const branches = { $or: [{ a: values(10) }, { b: values(6) }], c: values(10) }
  assert.equal(problem(branches), tooComplex)
  assert.equal(
    problem({ a: { b: ['x'] } }, 'MessageAttributes'),
    'Filter policy scope MessageAttributes does not support nested filter policy',
  )
})
