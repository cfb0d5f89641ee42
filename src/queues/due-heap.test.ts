import assert from 'node:assert/strict'
import { it } from 'node:test'

import { seededRandom } from '#kernel/random.ts'

import { createDueHeap } from './due-heap.ts'

it('gives back in the order of time, and of ids within one moment, whatever the order of arrival', () => {
  const random = seededRandom(7)
  const heap = createDueHeap()
  const pushed = Array.from({ length: 500 }, (_, n) => ({
    at: Math.floor(random.next() * 50),
    id: BigInt(n),
  }))
  const waiting = pushed.toSorted(() => random.next() - 0.5)
  const popped: string[] = []
  for (const due of waiting) heap.push(due)
  for (let due = heap.pop(); due; due = heap.pop()) popped.push(`${due.at}/${due.id}`)
  const expected = pushed
    .toSorted((a, b) => a.at - b.at || Number(a.id - b.id))
    .map(({ at, id }) => `${at}/${id}`)
  assert.deepEqual(popped, expected)
  assert.equal(heap.pop(), undefined)
  assert.equal(heap.size, 0)
})
