import assert from 'node:assert/strict'
import { it } from 'node:test'

import { seededRandom } from '#kernel/random.ts'

import { createShuffleShards, rankQueues } from './choose-queue.ts'

const shardOf = (key: string, queues: number, k: number) => rankQueues(key, queues).slice(0, k)
const functionNamed = (name: string) => ({ account: '111122223333', region: 'eu-west-1', name })

it('gives each function two different queues, always the same', () => {
  for (let n = 0; n < 100; n++) {
    const shard = shardOf(`f${n}`, 32, 2)
    assert.equal(new Set(shard).size, 2)
    assert.deepEqual(shardOf(`f${n}`, 32, 2), shard)
  }
})

it('spreads functions over all queues, and few share both', () => {
  const shards = Array.from({ length: 1000 }, (_, n) =>
    shardOf(`/1/r/function-${n}`, 32, 2).toSorted((a, b) => a - b),
  )
  const perQueue = new Map<number, number>()
  for (const queue of shards.flat()) perQueue.set(queue, (perQueue.get(queue) ?? 0) + 1)
  assert.equal(perQueue.size, 32)
  // 62.5 are expected; five standard deviations.
  for (const count of perQueue.values()) assert.ok(count > 24 && count < 101, `${count}`)
  const sameAsFirst = shards.filter((shard) => String(shard) === String(shards[0])).length
  assert.ok(sameAsFirst < 10, `${sameAsFirst} functions share both queues with the first`)
})

it('more queues move few functions', () => {
  const moved = Array.from({ length: 500 }, (_, n) => `function-${n}`).filter((key) => {
    const before = shardOf(key, 32, 1)
    const after = shardOf(key, 33, 1)
    return before[0] !== after[0]
  })
  assert.ok(moved.length < 50, `${moved.length} of 500 moved`)
})

it('takes the less deep of the two, and either of two that are equal', () => {
  const choice = createShuffleShards({ queues: 32, random: seededRandom(1) })
  const target = functionNamed('f')
  const [one = 0, two = 0] = shardOf('/111122223333/eu-west-1/f', 32, 2)
  assert.equal(
    choice.choose(target, (queue) => (queue === one ? 5 : 4)),
    two,
  )
  assert.equal(
    choice.choose(target, (queue) => (queue === one ? 4 : 5)),
    one,
  )
  const tied = new Set(Array.from({ length: 50 }, () => choice.choose(target, () => 0)))
  assert.deepEqual([...tied].toSorted(), [one, two].toSorted())
})

it('avoids a queue that takes nothing, and says so when both do', () => {
  const choice = createShuffleShards({ queues: 32, random: seededRandom(1) })
  const [one, two] = shardOf('/111122223333/eu-west-1/f', 32, 2)
  const full = Number.POSITIVE_INFINITY
  assert.equal(
    choice.choose(functionNamed('f'), (queue) => (queue === one ? full : 100)),
    two,
  )
  // Not into a third one: what floods its own two queues must not reach those of others.
  assert.equal(
    choice.choose(functionNamed('f'), (queue) => (queue === one || queue === two ? full : 0)),
    undefined,
  )
})

it("takes the next of the ranks for a queue that is another node's", () => {
  const choice = createShuffleShards({ queues: 32, random: seededRandom(1) })
  const ranks = rankQueues('/111122223333/eu-west-1/f', 32)
  const owned = new Set(ranks.filter((_, n) => n % 3 === 2))
  const depthOf = (queue: number) => (owned.has(queue) ? 0 : undefined)
  const chosen = new Set(Array.from({ length: 50 }, () => choice.choose(functionNamed('f'), depthOf)))
  assert.deepEqual([...chosen].toSorted(), [ranks[2], ranks[5]].toSorted())
  assert.equal(
    choice.choose(functionNamed('f'), () => undefined),
    undefined,
  )
})
