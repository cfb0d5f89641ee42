import assert from 'node:assert/strict'
import { test } from 'node:test'

import { mustBootAlone } from '#data-plane/worker/pool/boots-alone.ts'

test('pool: variables that a process reads when it starts need a process of their own', () => {
  for (const name of ['LD_PRELOAD', 'LANG', 'LC_ALL', 'SSL_CERT_FILE', 'OPENSSL_CONF', 'MALLOC_ARENA_MAX']) {
    assert.equal(mustBootAlone('nodejs', { [name]: 'x' }), true, name)
    assert.equal(mustBootAlone('python', { [name]: 'x' }), true, name)
  }
  for (const name of ['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'NODE_DEBUG', 'UV_THREADPOOL_SIZE']) {
    assert.equal(mustBootAlone('nodejs', { [name]: 'x' }), true, name)
    assert.equal(mustBootAlone('python', { [name]: 'x' }), false, name)
  }
  for (const name of ['PYTHONHASHSEED', 'PYTHONWARNINGS', 'PYTHONUTF8']) {
    assert.equal(mustBootAlone('python', { [name]: 'x' }), true, name)
    assert.equal(mustBootAlone('nodejs', { [name]: 'x' }), false, name)
  }
})

test('pool: variables that are read later do not', () => {
  const harmless = { TABLE: 'x', PATH: '/bin', TZ: 'UTC', MY_NODE_OPTIONS: 'x', HTTP_PROXY: 'x' }
  assert.equal(mustBootAlone('nodejs', { ...harmless, NODE_PATH: '/opt', NODE_ENV: 'production' }), false)
  assert.equal(mustBootAlone('python', { ...harmless, PYTHONPATH: '/opt' }), false)
})
