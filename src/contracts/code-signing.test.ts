import assert from 'node:assert/strict'
import { test } from 'node:test'

import { signatureStatus } from '#contracts/code-signing.ts'

const config = { signingProfileVersionArns: ['arn:p/1'] }
const good = { profileVersionArn: 'arn:p/1', jobArn: 'arn:j', signedAt: 10, expiresAt: 100 }
const fresh = { nowMs: 99, isRevoked: false }

test('a signature counts until it expires, unless somebody took it back or the configuration knows another profile', () => {
  assert.equal(signatureStatus(good, config, fresh), 'VALID')
  assert.equal(signatureStatus(good, config, { ...fresh, nowMs: 100 }), 'EXPIRED')
  assert.equal(signatureStatus(good, config, { ...fresh, isRevoked: true }), 'REVOKED')
  assert.equal(signatureStatus({ ...good, profileVersionArn: 'arn:p/2' }, config, fresh), 'MISMATCH')
  assert.equal(signatureStatus(undefined, config, fresh), 'MISMATCH')
  assert.equal(signatureStatus({ broken: 'why' }, config, fresh), 'INVALID')
})
