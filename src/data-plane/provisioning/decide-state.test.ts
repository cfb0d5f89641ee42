import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { ReadyState } from '#data-plane/placement/port.ts'
import { decideState, type ReportInput } from '#data-plane/provisioning/decide-state.ts'

const id = { account: '000000000000', region: 'us-east-1', name: 'hello' }
const config = { ...id, qualifier: 'live', requested: 2, token: 't', modifiedAt: 0 }
const share = (version: string, count: number, ready?: Partial<ReadyState>) => ({
  version,
  count,
  ready: ready && { wanted: count, starting: 0, ready: 0, ...ready },
})
const init = { kind: 'init', message: 'm' } as const

const CASES: readonly [string, Partial<ReportInput>, string][] = [
  ['nothing was heard yet', { shares: [share('1', 2)] }, '0/0 IN_PROGRESS'],
  ['they initialise', { shares: [share('1', 2, { starting: 2 })] }, '2/0 IN_PROGRESS'],
  ['one is there', { shares: [share('1', 2, { starting: 1, ready: 1 })] }, '2/1 IN_PROGRESS'],
  ['all are there', { shares: [share('1', 2, { ready: 2 })] }, '2/2 READY'],
  ['some are left from before', { shares: [share('1', 2, { ready: 5 })] }, '2/2 READY'],
  ['init fails', { shares: [share('1', 2, { failure: init })] }, '0/0 FAILED FUNCTION_ERROR_INIT_FAILURE'],
  [
    'init has failed and is tried again',
    { shares: [share('1', 2, { starting: 1, failure: init })] },
    '0/0 FAILED FUNCTION_ERROR_INIT_FAILURE',
  ],
  [
    'there is no room for one of them',
    { shares: [share('1', 2, { ready: 1, failure: { kind: 'capacity', message: 'full' } })] },
    '1/1 FAILED full',
  ],
  [
    'one is being replaced',
    { shares: [share('1', 2, { starting: 1, ready: 1 })], wasReady: true },
    '2/1 READY',
  ],
  [
    'what replaces one fails',
    { shares: [share('1', 2, { ready: 1, failure: init })], wasReady: true },
    '1/1 FAILED FUNCTION_ERROR_INIT_FAILURE',
  ],
  [
    'a weighted alias waits for both versions',
    { shares: [share('1', 1, { ready: 1 }), share('2', 1, { starting: 1 })] },
    '2/1 IN_PROGRESS',
  ],
  [
    'an alias that moves waits for the version it moves to',
    { shares: [share('2', 2, { starting: 2 }), share('1', 2, { ready: 2 })], isMoving: true },
    '4/2 IN_PROGRESS',
  ],
  [
    'an alias that moves and has lost one of the old version',
    { shares: [share('2', 2, { ready: 2 }), share('1', 2, { ready: 1 })], isMoving: true },
    '3/3 READY',
  ],
]
for (const [name, input, expected] of CASES) {
  test(`provisioned state: ${name}`, () => {
    const state = decideState({ config, shares: [], isMoving: false, wasReady: false, ...input })
    const { allocated, available, status, reason } = state
    assert.equal([`${allocated}/${available}`, status, reason].filter(Boolean).join(' '), expected)
    assert.deepEqual([state.token, state.qualifier, state.version], ['t', 'live', input.shares?.[0]?.version])
  })
}
