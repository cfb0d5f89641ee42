import assert from 'node:assert/strict'
import { it } from 'node:test'

import { createFunctionLanes, type Offered } from './function-lanes.ts'

const NOW = 1_000_000
const idAt = (ms: number, n = 0) => (BigInt(ms) << 20n) | BigInt(n)

function world() {
  const lanes = createFunctionLanes()
  const names = new Map<bigint, string>()
  let n = 0
  const push = (key: string, at = NOW, { since = NOW, isFresh = false } = {}) => {
    const id = idAt(since, n++)
    names.set(id, `${key}${n}`)
    lanes.push(key, at, id, isFresh)
    return id
  }
  const taken = new Set<bigint>()
  const answers = new Map<string, Offered>()
  const take = (now = NOW) => {
    let found: string | undefined
    lanes.next(now, (id) => {
      const name = names.get(id) ?? ''
      if (taken.has(id)) return 'gone'
      const answer = answers.get(name.replace(/\d+$/, '')) ?? 'taken'
      if (answer !== 'taken') return answer
      taken.add(id)
      found = name
      return answer
    })
    return found
  }
  const takeAll = (now = NOW) => {
    const all: string[] = []
    for (let next = take(now); next !== undefined; next = take(now)) all.push(next)
    return all
  }
  return { lanes, push, take, takeAll, answers }
}

it('functions take turns, whoever has more', () => {
  const { push, takeAll } = world()
  for (let n = 0; n < 4; n++) push('a')
  push('b')
  push('c')
  assert.deepEqual(takeAll(), ['a1', 'b5', 'c6', 'a2', 'a3', 'a4'])
})

it('what falls due later waits, and says when', () => {
  const { lanes, push, takeAll } = world()
  push('a', NOW + 50)
  push('a', NOW + 20)
  push('b', NOW + 90)
  assert.deepEqual(takeAll(), [])
  assert.equal(lanes.nextDueAt(), NOW + 20)
  assert.deepEqual(takeAll(NOW + 60), ['a2', 'a1'])
  assert.equal(lanes.nextDueAt(), NOW + 90)
  assert.deepEqual(takeAll(NOW + 90), ['b3'])
  assert.equal(lanes.nextDueAt(), undefined)
})

it('a lane that is held does not hold up others, and goes on when it may', () => {
  const { lanes, push, takeAll, answers } = world()
  push('a')
  push('a')
  push('b')
  answers.set('a', 'held')
  assert.deepEqual(takeAll(), ['b3'])
  assert.equal(lanes.nextDueAt(), undefined)
  answers.delete('a')
  assert.deepEqual(takeAll(), [])
  lanes.resume('a')
  assert.deepEqual(takeAll(), ['a1', 'a2'])
})

it('a lane that must not go on before some time comes back by itself, also when more is pushed', () => {
  const { lanes, push, takeAll, answers } = world()
  push('a')
  answers.set('a', NOW + 500)
  assert.deepEqual(takeAll(), [])
  push('a')
  assert.equal(lanes.nextDueAt(), NOW + 500)
  answers.delete('a')
  assert.deepEqual(takeAll(NOW + 499), [])
  assert.deepEqual(takeAll(NOW + 500), ['a1', 'a2'])
})

it('nothing more is offered when there is no slot, and the next one is the same', () => {
  const { push, take, answers } = world()
  push('a')
  push('b')
  answers.set('a', 'stop')
  assert.equal(take(), undefined)
  answers.delete('a')
  assert.deepEqual([take(), take()], ['b2', 'a1'])
})

it('a function that is behind does three fresh events, then one of its backlog', () => {
  const { lanes, push, takeAll } = world()
  for (let n = 0; n < 3; n++) push('a', NOW - 100_000, { since: NOW - 100_000 })
  assert.equal(lanes.isBehind('a', NOW), true)
  for (let n = 0; n < 4; n++) push('a', NOW, { isFresh: true })
  assert.deepEqual(takeAll(), ['a4', 'a5', 'a6', 'a1', 'a7', 'a2', 'a3'])
  assert.equal(lanes.isBehind('a', NOW), false)
})
