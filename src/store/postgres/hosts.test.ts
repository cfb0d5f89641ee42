import assert from 'node:assert/strict'
import { it } from 'node:test'

import { hostsOf, withoutPassword } from '#store/postgres/hosts.ts'

it('names each server with the same user, database and parameters', () => {
  assert.deepEqual(hostsOf('postgres://me:a%40b@one,two:5433/name?sslmode=require'), [
    'postgres://me:a%40b@one/name?sslmode=require',
    'postgres://me:a%40b@two:5433/name?sslmode=require',
  ])
  assert.deepEqual(hostsOf('postgresql:///name?host=/run/postgresql'), [
    'postgresql:///name?host=/run/postgresql',
  ])
})

it('refuses what is no PostgreSQL database', () => {
  for (const url of ['', 'name', 'mysql://a/b', 'postgres://one:port/name']) {
    assert.throws(() => hostsOf(url), TypeError)
  }
})

it('says nothing of the password', () => {
  assert.equal(withoutPassword('postgres://me:secret@one,two/name'), 'postgres://me:***@one,two/name')
  assert.equal(withoutPassword('postgres://me@one/name'), 'postgres://me@one/name')
})
