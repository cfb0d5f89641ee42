import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { LambdaError } from '#contracts/errors.ts'
import { sleep } from '#kernel/clock.ts'

import { startCells } from '../../../test/support/cells.ts'
import { createCellMap } from './cell-map.ts'

const accounts = Array.from({ length: 15 }, (_, n) => String(100_000_000_000 + n))

test('cells: an account has one home and another cell as its alternate, and a new cell moves few', () => {
  const three = createCellMap(['a', 'b', 'c'])
  const four = createCellMap(['a', 'b', 'c', 'd'])
  const many = Array.from({ length: 1000 }, (_, n) => String(n))
  const homes = many.map((account) => three.homeOf(account))
  for (const cell of ['a', 'b', 'c']) {
    const share = homes.filter(({ home }) => home === cell).length
    assert.ok(share > 270 && share < 400, `${share} of 1000 in ${cell}`)
  }
  assert.ok(homes.every(({ home, alternate }) => alternate !== undefined && alternate !== home))
  const moved = many.filter((account, n) => four.homeOf(account).home !== homes[n]?.home)
  assert.ok(moved.every((account) => four.homeOf(account).home === 'd'))
  assert.ok(moved.length > 180 && moved.length < 320, `${moved.length} of 1000 moved`)
  const placed = createCellMap(['a', 'b'], new Map([['1', { home: 'b', alternate: undefined }]]))
  assert.deepEqual(placed.homeOf('1'), { home: 'b', alternate: undefined })
  assert.equal(createCellMap(['a']).homeOf('1').alternate, undefined)
})

test('cells: one that is switched off is not felt in the others, and loses no event', async (t) => {
  const { clock, map, frontend, executions, on, off, request, random } = startCells(['a', 'b', 'c'])
  for (const cell of ['a', 'b', 'c']) await on(cell)
  const sent = new Map<string, { account: string; at: number }>()
  const acknowledged = new Set<string>()
  const refused: { readonly account: string; readonly status: number | undefined }[] = []
  const isOver = () => clock.monotonic() >= 12_000
  const traffic = async (account: string, type: 'event' | 'sync', perSecond: number) => {
    for (let n = 0; !isOver(); n++) {
      await sleep(clock, -Math.log(1 - random.next()) * (1000 / perSecond))
      const requestId = `${type}/${account}/${n}`
      sent.set(requestId, { account, at: clock.monotonic() })
      const call = request(account, requestId)
      if (type === 'event') void frontend.enqueue(call).then(() => acknowledged.add(requestId))
      else
        void frontend
          .invoke(call)
          .catch((error: LambdaError) => refused.push({ account, status: error.status }))
    }
  }
  for (const account of accounts) {
    void traffic(account, 'event', 15)
    void traffic(account, 'sync', 5)
  }
  await clock.runUntil(4_000)
  await off('b')
  const whenOff = executions.length
  await clock.runUntil(8_000)
  await on('b')
  const whenOn = executions.length
  // The pause between two tries to hand an event over is as long as it was away, at most.
  await clock.runUntil(30_000)

  const figures = (cells: readonly string[], fromMs: number, untilMs: number) => {
    const all = executions.filter(
      ({ cell, afterMs }) => cells.includes(cell) && afterMs >= fromMs && afterMs < untilMs,
    )
    const waits = all.map(({ requestId, afterMs }) => afterMs - (sent.get(requestId)?.at ?? 0))
    return { count: all.length, p99Ms: waits.toSorted((x, y) => x - y)[Math.floor(waits.length * 0.99)] ?? 0 }
  }
  const others = ['a', 'c']
  const [before, during] = [figures(others, 0, 4_000), figures(others, 4_000, 8_000)]
  t.diagnostic(`the others before: ${JSON.stringify(before)}, during: ${JSON.stringify(during)}`)
  assert.ok(during.p99Ms <= before.p99Ms + 5, `${before.p99Ms} ms before, ${during.p99Ms} ms during`)
  assert.ok(Math.abs(during.count / before.count - 1) < 0.1, `${before.count} before, ${during.count} during`)

  const ran = new Set(executions.map(({ requestId }) => requestId))
  const events = [...sent].filter(([requestId]) => requestId.startsWith('event'))
  assert.equal(acknowledged.size, events.length, 'every event was taken by one cell or the other')
  assert.deepEqual(
    [...acknowledged].filter((requestId) => !ran.has(requestId)),
    [],
  )
  assert.deepEqual(
    executions.filter(({ cell, account }) => map.homeOf(account).home !== cell),
    [],
    'nothing runs in a cell that is not its home',
  )
  assert.ok(refused.length > 30)
  assert.ok(refused.every(({ account, status }) => map.homeOf(account).home === 'b' && status === 500))
  assert.ok(executions.slice(whenOff, whenOn).every(({ cell }) => cell !== 'b'))
})
