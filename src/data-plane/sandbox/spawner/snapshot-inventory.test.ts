import assert from 'node:assert/strict'
import { test } from 'node:test'

import { joinNamespaces } from './snapshot-inventory.ts'

/** As CRIU 4.1 wrote them for a process in a user namespace of its own: head, then the message. */
const image = (message: string) => {
  const body = Buffer.from(message, 'hex')
  const head = Buffer.alloc(12)
  head.writeUInt32LE(body.length, 8)
  return Buffer.concat([head, body])
}
const IDS = '080210021802200228013002380340044806500958086005'

test('snapshots: the inventory gets the user namespace of the process, and nothing else changes', () => {
  const before = image('080210011a18080110011801200128013002380340044806500758086005')
  const after = joinNamespaces(before, image(IDS))
  const differing = [...before.keys()].filter((at) => before[at] !== after[at])
  assert.equal(differing.length, 1)
  assert.deepEqual([before[differing[0] ?? 0], after[differing[0] ?? 0]], [7, 9])
})

test('snapshots: images that are cut off, or of another form, are refused', () => {
  assert.throws(() => joinNamespaces(image('08021001'), image(IDS)), RangeError)
  assert.throws(() => joinNamespaces(image('080210011a0408011001'), image(IDS)), RangeError)
  assert.throws(() => joinNamespaces(image('080210011a18' + '08'.repeat(24)), image('50ff7f')), RangeError)
})
