import assert from 'node:assert/strict'
import { it } from 'node:test'

import { mayHaveSlot } from './fair-share.ts'

const rows: readonly (readonly [string, number, number, number, boolean])[] = [
  ['a tenth is everybody’s', 100, 99, 9, true],
  ['more than a tenth only while more than 30 % are idle', 100, 69, 10, true],
  ['not with exactly 30 %', 100, 70, 10, false],
  ['two of few slots', 8, 7, 1, true],
  ['a third one while there is room', 8, 5, 5, true],
  ['and not when there is none', 8, 6, 2, false],
  ['nothing when nothing is free', 8, 8, 0, false],
]
for (const [name, slots, busy, mine, expected] of rows) {
  it(name, () => assert.equal(mayHaveSlot({ slots, busy, mine }), expected))
}
