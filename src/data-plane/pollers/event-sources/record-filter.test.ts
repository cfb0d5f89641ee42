import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createRecordFilter, filteredData } from './record-filter.ts'

const passes = (pattern: object, body: string) =>
  createRecordFilter([JSON.stringify(pattern)])({ body: filteredData(body), messageAttributes: {} })

test('record filter: JSON and plain texts are told apart as the guide says', () => {
  const json = { body: { a: [1] } }
  assert.ok(passes(json, '{"a":1}'))
  assert.ok(passes(json, ' [{"a":1}]'))
  assert.ok(!passes(json, '{"a":2}'))
  assert.ok(!passes(json, 'plain'))
  assert.ok(!passes(json, '{broken'))
  const plain = { body: ['plain', '{broken'] }
  assert.ok(passes(plain, 'plain'))
  assert.ok(passes(plain, '{broken'))
  assert.ok(!passes(plain, '{"a":1}'))
})

test('record filter: one pattern of several is enough, none lets everything through', () => {
  const filter = createRecordFilter(['{"a":[1]}', '{"b":[2]}'])
  assert.deepEqual([filter({ a: 1 }), filter({ b: 2 }), filter({ a: 2 })], [true, true, false])
  assert.ok(createRecordFilter(undefined)({}))
  assert.ok(createRecordFilter([])({}))
  assert.throws(() => createRecordFilter(['{}']))
})
