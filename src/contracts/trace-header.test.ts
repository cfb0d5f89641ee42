import assert from 'node:assert/strict'
import { test } from 'node:test'

import { formatAnswerHeader, formatTraceHeader, newTraceRoot, parseTraceHeader } from './trace-header.ts'

const ROOT = `1-68e5e4a1-${'ab'.repeat(12)}`
const PARENT = 'c'.repeat(16)

test('a whole header is read and written back', () => {
  const text = `Root=${ROOT};Parent=${PARENT};Sampled=1;Lineage=25:a87bd80c:1`
  const trace = parseTraceHeader(text)
  assert.deepEqual(trace, {
    root: ROOT,
    parent: PARENT,
    sampled: true,
    lineage: { requests: 25, marker: 'a87bd80c', loops: 1 },
  })
  assert.equal(trace && formatTraceHeader(trace), text)
  assert.equal(trace && formatAnswerHeader(trace), `root=${ROOT};sampled=1;lineage=25:a87bd80c:1`)
})

test('parts may be missing, in any order, with blanks and with parts that nobody knows', () => {
  assert.deepEqual(parseTraceHeader(`Sampled=0; Self=x ;Root=${ROOT}`), { root: ROOT, sampled: false })
  assert.deepEqual(parseTraceHeader(`Root=${ROOT};Sampled=?`), { root: ROOT })
})

test('what makes no sense is left out, and without a root there is no trace', () => {
  assert.deepEqual(parseTraceHeader(`Root=${ROOT};Parent=1;Lineage=1:2:3;Sampled=yes`), { root: ROOT })
  const bad = [undefined, '', 'nonsense', 'Root=1-a-b', `root=${ROOT}`, `Root=${ROOT}${';x=y'.repeat(1000)}`]
  for (const text of bad) assert.equal(parseTraceHeader(text), undefined)
  // Nothing that a client sends gets into a header of ours unchecked.
  assert.equal(parseTraceHeader(`Root=${ROOT}\r\nX: y`), undefined)
})

test('a new root carries its time', () => {
  assert.equal(newTraceRoot(0x68e5e4a1 * 1000 + 999, 'ab'.repeat(12)), ROOT)
})
