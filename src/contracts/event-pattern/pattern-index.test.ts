import assert from 'node:assert/strict'
import { test } from 'node:test'

import { compilePattern } from './event-pattern.ts'
import { createPatternIndex } from './pattern-index.ts'

const entries = (patterns: readonly object[]) =>
  patterns.map((pattern, key) => ({ key, pattern: compilePattern(JSON.stringify(pattern)) }))

test('pattern index: a thousand rules cost an event as little as one', () => {
  const rules = Array.from({ length: 1000 }, (_, number) =>
    number % 2 === 0
      ? { source: [`app.${number}`], detail: { kind: [{ prefix: 'a' }] } }
      : { source: ['shared'], detail: { tenant: { id: [`t${number}`, `u${number}`] } } },
  )
  const index = createPatternIndex(entries(rules))
  assert.deepEqual(index.match({ source: 'app.10', detail: { kind: 'ab' } }), [10])
  assert.equal(index.evaluated, 1)
  assert.deepEqual(index.match({ source: 'shared', detail: { tenant: { id: 'u501' } } }), [501])
  assert.equal(index.evaluated, 2)
  assert.deepEqual(index.match({ source: 'nobody' }), [])
  assert.equal(index.evaluated, 2)
})

test('pattern index: finds what holding every pattern against the event finds', () => {
  const patterns = [
    { source: ['a'] },
    { source: ['a', 'b'] },
    { source: [{ prefix: 'a' }] },
    { 'detail-type': ['t'], source: ['b'] },
    { detail: { x: ['1'], y: [2] } },
    { 'detail.x': ['1'] },
    { $or: [{ source: ['a'] }, { detail: { x: ['9'] } }] },
    { detail: { list: ['q'] } },
    { source: [{ exists: false }] },
    { detail: { n: [1] } },
  ]
  const events = [
    { source: 'a' },
    { source: 'b', 'detail-type': 't' },
    { detail: { x: '1', y: 2 } },
    { 'detail.x': '1' },
    { detail: { x: ['9', '1'] } },
    { source: ['c', 'a'], detail: [{ x: '1' }, { list: ['p', ['q']] }] },
    { detail: { n: 1 } },
    {},
  ]
  const all = entries(patterns)
  const index = createPatternIndex(all)
  for (const event of events) {
    const expected = all.filter(({ pattern }) => pattern.matches(event)).map(({ key }) => key)
    assert.deepEqual(
      index.match(event).toSorted((a, b) => a - b),
      expected,
      JSON.stringify(event),
    )
  }
})
