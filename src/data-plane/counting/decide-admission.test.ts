import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decideAdmission, type AdmissionState } from '#data-plane/counting/decide-admission.ts'

const empty: AdmissionState = {
  reserved: undefined,
  provisioned: 0,
  running: 0,
  unreservedRunning: 0,
  accountConcurrency: 10,
  takenSum: 0,
}
const RESERVED = 'ReservedFunctionConcurrentInvocationLimitExceeded'
const ACCOUNT = 'ConcurrentInvocationLimitExceeded'

const CASES: readonly [string, Partial<AdmissionState>, string | undefined][] = [
  ['an idle account admits', {}, undefined],
  ['the last place of the pool is given', { unreservedRunning: 9, running: 9 }, undefined],
  ['a full pool refuses', { unreservedRunning: 10 }, ACCOUNT],
  ['reservations of others shrink the pool', { unreservedRunning: 6, takenSum: 4 }, ACCOUNT],
  ['a pool that is reserved away refuses', { takenSum: 12 }, ACCOUNT],
  [
    'a reservation is used though the pool is full',
    { reserved: 1, takenSum: 1, unreservedRunning: 9 },
    undefined,
  ],
  [
    'a used-up reservation refuses though the pool is empty',
    { reserved: 2, running: 2, takenSum: 2 },
    RESERVED,
  ],
  ['a reservation lowered below what runs refuses', { reserved: 1, running: 3, takenSum: 1 }, RESERVED],
  [
    'what is provisioned of a reservation is not for on-demand invocations',
    { reserved: 3, provisioned: 2, running: 1, takenSum: 3 },
    RESERVED,
  ],
  ['the rest of the reservation is', { reserved: 3, provisioned: 2, running: 0, takenSum: 3 }, undefined],
  [
    'a reservation that is provisioned away never admits on demand',
    { reserved: 2, provisioned: 2, takenSum: 2 },
    RESERVED,
  ],
  ['a reservation of zero never admits', { reserved: 0 }, RESERVED],
]

for (const [name, state, expected] of CASES) {
  test(`admission: ${name}`, () => assert.equal(decideAdmission({ ...empty, ...state }), expected))
}
