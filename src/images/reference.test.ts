import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Images } from './port.ts'
import { byDigest, isLoopback, ownRepository, parseReference } from './reference.ts'

const DIGEST = `sha256:${'0f'.repeat(32)}`
const HOST = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'

test('references: names with a tag, a digest or both', () => {
  assert.deepEqual(parseReference(`${HOST}/team/app:v1`), {
    registry: HOST,
    repository: 'team/app',
    tag: 'v1',
  })
  assert.deepEqual(parseReference(`localhost:5000/app@${DIGEST}`), {
    registry: 'localhost:5000',
    repository: 'app',
    digest: DIGEST,
  })
  const both = parseReference(`[::1]:5000/a__b/c.d:x@${DIGEST}`)
  assert.deepEqual(both, { registry: '[::1]:5000', repository: 'a__b/c.d', tag: 'x', digest: DIGEST })
  const key: Parameters<Images['prepare']>[0]['resolvedUri'] = byDigest(both, DIGEST)
  assert.equal(key, `[::1]:5000/a__b/c.d@${DIGEST}`)
})

test('references: what is no name of an image', () => {
  const wrong = [
    '',
    'app',
    'app:latest',
    'team/app:latest',
    HOST,
    `${HOST}/app`,
    `${HOST}/App:1`,
    `${HOST}/a//b:1`,
    `${HOST}/../b:1`,
    `${HOST}/app:1@sha256:00`,
    `${HOST}/app@md5:00`,
    `https://${HOST}/app:1`,
    `${HOST}/app:1\n`,
    `${HOST}/${'a/'.repeat(600)}b:1`,
  ]
  for (const uri of wrong) assert.equal(parseReference(uri), undefined, uri)
})

test('references: which repositories are our own, and whose', () => {
  const own = { home: { account: '000000000000', region: 'us-east-1' }, port: 4566 }
  const there = { account: '123456789012', region: 'eu-west-1', name: 'team/app' }
  const here = { ...own.home, name: 'team/app' }
  assert.deepEqual(ownRepository(HOST, 'team/app', own), there)
  assert.deepEqual(ownRepository('123456789012.dkr.ecr.eu-west-1.localhost:4566', 'team/app', own), there)
  for (const host of ['localhost:4566', '127.0.0.1:4566', '[::1]:4566']) {
    assert.deepEqual(ownRepository(host, 'team/app', own), here)
    assert.deepEqual(ownRepository(host, '123456789012.eu-west-1/team/app', own), there)
  }
  const name = '123456789012.eu-west-1/team/app'
  assert.deepEqual(ownRepository(HOST, name, own), { ...there, name }, 'a host of AWS says enough')
  assert.equal(ownRepository('127.0.0.1:5000', 'team/app', own), undefined)
  assert.equal(ownRepository('registry.example:4566', 'team/app', own), undefined)
  assert.ok(isLoopback('127.0.0.1:5000') && isLoopback('a.localhost:5000') && !isLoopback('registry.example'))
})
