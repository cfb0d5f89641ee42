import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'
import { iamRoleKey, SESSIONS, type IamRole } from '#contracts/iam.ts'
import { seededRandom } from '#kernel/random.ts'
import { createSealer } from '#kernel/sealed.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import { createVerifier } from '#wire/sigv4-verify.ts'

import { createCredentialIndex } from '../iam/credential-index.ts'
import { put } from '../iam/documents.ts'
import { createSessions } from './sessions.ts'

const ACCOUNT = '123456789012'
const logger = { debug() {}, info() {}, warn() {}, error() {} }
const role: IamRole = {
  account: ACCOUNT,
  name: 'worker',
  id: 'AROAAAAAAAAAAAAAAAAAA',
  path: '/',
  createdAt: 0,
  tags: [],
  inlinePolicies: {},
  attachedPolicies: [],
  maxSessionSeconds: 3600,
  trustPolicy: '{}',
}
const request = {
  roleArn: `arn:aws:iam::${ACCOUNT}:role/worker`,
  sessionName: 's',
  durationSeconds: 900,
}

async function rig(maxSessions?: number) {
  const clock = createVirtualClock()
  const store = createMemoryStore({ clock })
  const { meta } = store
  const sealer = createSealer(Buffer.alloc(32, 7))
  const index = createCredentialIndex({ meta, sealer })
  const random = seededRandom(5)
  const sessions = createSessions({ meta, sealer, clock, random, index, logger, maxSessions })
  await meta.txn([put(iamRoleKey(ACCOUNT, 'worker'), role)])
  await index.start()
  await sessions.start()
  return { clock, meta, sealer, index, sessions }
}

test('sessions: are known to the door at once, and their secrets are not readable in the store', async () => {
  const { meta, index, sessions, sealer } = await rig()
  const made = await sessions.assume(request)
  assert.ok(made)
  const found = index.find(made.accessKeyId)
  assert.equal(found?.secret, made.secretAccessKey)
  assert.equal(found.sessionToken, made.sessionToken)
  assert.equal(found.arn, `arn:aws:sts::${ACCOUNT}:assumed-role/worker/s`)
  const [row] = await meta.list(SESSIONS, '', 10)
  const stored = JSON.stringify(row?.doc)
  assert.ok(!stored.includes(made.secretAccessKey) && !stored.includes(made.sessionToken))
  // Another process, or this one after a restart, knows them too.
  const second = createCredentialIndex({ meta, sealer })
  await second.start()
  assert.equal(second.find(made.accessKeyId)?.secret, made.secretAccessKey)
})

test('sessions: a role that does not exist, or lies on another path, has none', async () => {
  const { sessions } = await rig()
  for (const name of ['nobody', 'path/worker', '']) {
    const roleArn = `arn:aws:iam::${ACCOUNT}:role/${name}`
    assert.equal(await sessions.assume({ ...request, roleArn }), undefined)
  }
})

test('sessions: are refused as expired for an hour after their end, and are then unknown', async () => {
  const { clock, index, sessions, meta } = await rig()
  const made = await sessions.assume(request)
  assert.ok(made)
  await clock.advance(901_000)
  assert.ok((index.find(made.accessKeyId)?.expiresAt ?? Infinity) <= clock.now())
  await clock.advance(3_700_000)
  assert.equal(index.find(made.accessKeyId), undefined)
  assert.equal(index.sessionCount, 0)
  assert.equal((await meta.list(SESSIONS, '', 10)).length, 0)
  await sessions.stop()
  assert.equal(clock.pendingTimers, 0)
})

test('sessions: there is a bound, which holds for requests at the same time too', async () => {
  const { index, sessions } = await rig(3)
  const results = await Promise.allSettled(Array.from({ length: 6 }, () => sessions.assume(request)))
  const refused = results.filter((result) => result.status === 'rejected')
  // One that is just being written may count twice for a moment: never too many, perhaps too few.
  assert.ok(refused.length >= 3)
  for (const { reason } of refused) assert.equal(reason instanceof LambdaError && reason.code, 'Throttling')
  while (index.sessionCount < 3) await sessions.assume(request)
  await assert.rejects(sessions.assume(request), { code: 'Throttling' })
})

test('sessions: the door says that a session expired, with its token and before its signature is looked at', async () => {
  const { clock, index, sessions } = await rig()
  const made = await sessions.assume(request)
  assert.ok(made)
  await clock.advance(901_000)
  const verifier = createVerifier({ credentials: (id) => index.find(id), clock })
  const at = `${new Date(clock.now()).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
  const authorization = `AWS4-HMAC-SHA256 Credential=${made.accessKeyId}/${at.slice(0, 8)}/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`
  const headers = { host: 'x', 'x-amz-date': at, 'x-amz-security-token': made.sessionToken, authorization }
  assert.throws(
    () => verifier.begin({ method: 'GET', path: '/', query: '', headers }, 'lambda'),
    (error) => error instanceof LambdaError && error.code === 'ExpiredTokenException',
  )
})
