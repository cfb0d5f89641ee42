import assert from 'node:assert/strict'
import { test } from 'node:test'

import { seededRandom } from '#kernel/random.ts'

import { accessKeyId, accountOfAccessKey, secretAccessKey, sessionToken, uniqueId } from './identifiers.ts'

test('identifiers: an access key id holds its account, whatever it is', () => {
  const random = seededRandom(1)
  for (const account of ['000000000000', '123456789012', '999999999999']) {
    for (const prefix of ['AKIA', 'ASIA'] as const) {
      const id = accessKeyId(random, prefix, account)
      assert.match(id, /^A[KS]IA[A-Z2-7]{16}$/)
      assert.equal(accountOfAccessKey(id), account)
    }
  }
})

test('identifiers: ids of another form hold no account', () => {
  for (const id of [
    '',
    'AKIA',
    'AKIA1111111111111111',
    'AROAQAAAAAAAAAAAAAAA',
    'AKIAQAAAAAAAAAAAAAAAA',
    'test',
  ]) {
    assert.equal(accountOfAccessKey(id), undefined)
  }
})

test('identifiers: have the lengths that clients expect, and differ', () => {
  const random = seededRandom(2)
  assert.match(uniqueId(random, 'AROA'), /^AROA[A-Z2-7]{17}$/)
  assert.match(secretAccessKey(random), /^[A-Za-z0-9+/]{40}$/)
  assert.notEqual(sessionToken(random), sessionToken(random))
})
