import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createReach, lookupWithin } from './reachable.ts'

test('sns reach: metadata services never, loopback when it is allowed', () => {
  const open = createReach({ loopback: true })
  const closed = createReach({ loopback: false })
  for (const address of ['169.254.169.254', '::ffff:169.254.169.254', 'fe80::1', 'fd00:ec2::254']) {
    assert.equal(open(address), false, address)
  }
  for (const address of ['127.0.0.1', '127.8.8.8', '0.0.0.0', '::1', '::', '::ffff:127.0.0.1']) {
    assert.equal(open(address), true, address)
    assert.equal(closed(address), false, address)
  }
  for (const address of ['10.0.0.1', '192.0.2.1', '2001:db8::1']) assert.equal(closed(address), true, address)
})

test('sns reach: names that lead there are not found', async () => {
  const look = (loopback: boolean) =>
    new Promise((resolve) => {
      lookupWithin(createReach({ loopback }))('localhost', { all: true }, (error, addresses) =>
        resolve(error ? error.message : addresses.length > 0),
      )
    })
  assert.equal(await look(true), true)
  assert.equal(await look(false), 'localhost leads to an address that topics do not reach')
})
