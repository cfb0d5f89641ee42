import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  decideAssignment,
  decideHold,
  decideKeep,
  decideRoomAhead,
  decideStart,
  waitingInVain,
  typicalAfter,
  type HostState,
} from '#data-plane/placement/decide.ts'

const ASSIGNMENTS = [
  ['an idle environment runs it', { idle: 1, waiting: 0, starting: 0 }, 'run'],
  ['an idle one is used though others are starting', { idle: 1, waiting: 0, starting: 3 }, 'run'],
  ['nothing there: start one', { idle: 0, waiting: 0, starting: 0 }, 'start-and-wait'],
  ['as many start as wait: start one more', { idle: 0, waiting: 2, starting: 2 }, 'start-and-wait'],
  ['a surplus start is taken over', { idle: 0, waiting: 1, starting: 2 }, 'wait'],
  ['too many wait', { idle: 0, waiting: 5, starting: 5 }, 'refuse'],
] as const
for (const [name, state, expected] of ASSIGNMENTS) {
  test(`assignment: ${name}`, () =>
    assert.equal(decideAssignment(state, { maxWaitingPerVersion: 5 }), expected))
}

const host: HostState = {
  startingNow: 0,
  environments: 0,
  usedMiB: 0,
  maxMiB: 1000,
  stopping: 0,
  stoppingMiB: 0,
  idle: 0,
}
const STARTS: readonly [string, Partial<HostState>, number, string][] = [
  ['an empty host starts it', {}, 128, 'start'],
  ['it may fill the host to the last MiB', { usedMiB: 872 }, 128, 'start'],
  ['larger than the host', { idle: 3 }, 1001, 'never'],
  ['enough are starting', { startingNow: 2 }, 128, 'wait'],
  ['no memory, an idle one can go', { usedMiB: 900, idle: 1 }, 128, 'reclaim'],
  [
    'no memory, one that is stopping gives enough',
    { usedMiB: 900, idle: 1, stopping: 1, stoppingMiB: 128 },
    128,
    'wait',
  ],
  [
    'no memory, one that is stopping gives too little',
    { usedMiB: 900, idle: 1, stopping: 1, stoppingMiB: 20 },
    128,
    'reclaim',
  ],
  ['no memory and all are busy', { usedMiB: 900 }, 128, 'skip'],
  ['no place, an idle one can go', { environments: 10, idle: 1 }, 128, 'reclaim'],
  ['no place, one is stopping', { environments: 10, idle: 1, stopping: 1 }, 128, 'wait'],
  ['no place and all are busy', { environments: 10 }, 128, 'wait'],
]
for (const [name, state, memoryMiB, expected] of STARTS) {
  test(`start: ${name}`, () =>
    assert.equal(
      decideStart({ ...host, ...state }, memoryMiB, { maxStarting: 2, maxEnvironments: 10 }),
      expected,
    ))
}

const KEEPS = [
  ['a young one stays', { ageMs: 10, idleMs: 0, retired: false }, 'keep'],
  ['a retired one goes', { ageMs: 10, idleMs: 0, retired: true }, 'stop'],
  ['an old one goes', { ageMs: 1000, idleMs: 0, retired: false }, 'stop'],
  ['one that was idle too long goes', { ageMs: 150, idleMs: 100, retired: false }, 'stop'],
] as const
for (const [name, state, expected] of KEEPS) {
  test(`keep: ${name}`, () =>
    assert.equal(decideKeep(state, { idleTimeoutMs: 100, maxAgeMs: 1000 }), expected))
}

test('a failed start leaves only those in vain that no other start is for', () => {
  assert.equal(waitingInVain({ waiting: 3, starting: 2 }), 1)
  assert.equal(waitingInVain({ waiting: 1, starting: 2 }), 0)
})

for (const [state, decision] of [
  [{ running: 4, typicalMs: undefined }, 'go'],
  [{ running: 3, typicalMs: 1 }, 'go'],
  [{ running: 4, typicalMs: 1 }, 'hold'],
  [{ running: 4, typicalMs: 5 }, 'hold'],
  [{ running: 400, typicalMs: 5.1 }, 'go'],
] as const) {
  test(`hold: ${JSON.stringify(state)} -> ${decision}`, () => {
    assert.equal(decideHold(state, { briefMs: 5, maxRunningBrief: 4 }), decision)
  })
}

test('hold: what is typical follows a change of behaviour within about ten invocations', () => {
  let typicalMs: number | undefined
  for (const durationMs of [1, 1, 1]) typicalMs = typicalAfter(typicalMs, durationMs)
  assert.equal(typicalMs, 1)
  for (let count = 0; count < 10; count++) typicalMs = typicalAfter(typicalMs, 100)
  assert.ok(typicalMs !== undefined && typicalMs > 80)
})

const AHEAD: readonly [string, Partial<HostState>, boolean][] = [
  ['there is room for another', { usedMiB: 800, environments: 10, idle: 9 }, false],
  ['the host is full of idle ones', { usedMiB: 900, environments: 10, idle: 9 }, true],
  ['one that is stopping gives enough', { usedMiB: 900, idle: 9, stopping: 1, stoppingMiB: 128 }, false],
  ['few are idle: each is worth more than the wait', { usedMiB: 900, environments: 10, idle: 7 }, false],
  ['no place is left', { usedMiB: 100, environments: 20, idle: 9 }, true],
]
for (const [name, state, expected] of AHEAD) {
  test(`room ahead: ${name}`, () =>
    assert.equal(
      decideRoomAhead({ ...host, ...state }, 128, { maxEnvironments: 20, minIdleForRoomAhead: 8 }),
      expected,
    ))
}
