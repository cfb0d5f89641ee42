import assert from 'node:assert/strict'
import { test } from 'node:test'

import { seededRandom, systemRandom } from '#kernel/random.ts'

test('random: as many hexadecimal digits as asked for, and none twice', () => {
  const seen = new Set<string>()
  for (let n = 0; n < 2000; n++) {
    const text = systemRandom.hex(n % 2 === 0 ? 24 : 25)
    assert.match(text, n % 2 === 0 ? /^[0-9a-f]{24}$/ : /^[0-9a-f]{25}$/)
    seen.add(text)
  }
  assert.equal(seen.size, 2000)
  assert.match(systemRandom.hex(20_001), /^[0-9a-f]{20001}$/)
  assert.equal(systemRandom.hex(0), '')
})

test('random: a seed repeats its sequence', () => {
  const [a, b] = [seededRandom(7), seededRandom(7)]
  assert.deepEqual([a.next(), a.hex(8), a.uuid()], [b.next(), b.hex(8), b.uuid()])
})
