import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { createVirtualClock } from '#kernel/virtual-clock.ts'
import type { RequestHead } from '#wire/protocol.ts'
import { canonicalText, createKeyCache, deriveKey, sha256Hex, signature, stringToSign } from '#wire/sigv4.ts'
import { signRequest } from '#wire/sigv4-sign.ts'
import { createVerifier, type KeyRecord } from '#wire/sigv4-verify.ts'

const ID = 'AKIDEXAMPLE'
const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const TOKEN = 'tok/en+='
const AT = Date.UTC(2026, 0, 2, 3, 4, 5)
const KEY: KeyRecord = { secret: SECRET, account: '111122223333', arn: 'arn:aws:iam::111122223333:user/me' }

const verifier = (key: KeyRecord | undefined, nowMs = AT) =>
  createVerifier({
    credentials: (id) => (id === ID ? key : undefined),
    clock: { ...createVirtualClock(), now: () => nowMs },
  })

/** Signed by botocore 1.43 at `AT`; its body is `{"a": 1}`. */
const byBotocore = (change: Record<string, string> = {}): RequestHead => ({
  method: 'POST',
  path: '/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af/invocations',
  query: 'Qualifier=%24LATEST&b=2&a=x%20y',
  headers: {
    host: '127.0.0.1:4566',
    'x-amz-log-type': 'Tail  two',
    'x-amz-date': '20260102T030405Z',
    'x-amz-security-token': TOKEN,
    authorization: `AWS4-HMAC-SHA256 Credential=${ID}/20260102/us-east-1/lambda/aws4_request, SignedHeaders=host;x-amz-date;x-amz-log-type;x-amz-security-token, Signature=cb1913eb6d23cdc4e3a64f92eb9f5f33ccf04ddb617af1f9bc8d09c4b2dd8486`,
    ...change,
  },
})

/** Presigned by botocore 1.43 at `AT` for 60 seconds. */
const presigned = (change = (query: string) => query): RequestHead => ({
  method: 'GET',
  path: '/2015-03-31/functions/',
  query: change(
    `MaxItems=3&Marker=a%20b&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${ID}%2F20260102%2Fus-east-1%2Flambda%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=c18199fcf1621d6f6542bd02f9ae32abbc1d268d5e9b7ed7a7e37c8260d01a0b`,
  ),
  headers: { host: '127.0.0.1:4566' },
})

const body = Buffer.from('{"a": 1}')
const empty = new Uint8Array()
const temporary = { ...KEY, sessionToken: TOKEN }

describe('sigv4', () => {
  test("reproduces AWS's documented signature of a bare GET", () => {
    const scope = { date: '20150830', region: 'us-east-1', service: 'service' }
    const headers: Record<string, string> = {
      host: 'example.amazonaws.com',
      'x-amz-date': '20150830T123600Z',
    }
    const canonical = canonicalText({
      method: 'GET',
      path: '/',
      query: '',
      signedHeaders: ['host', 'x-amz-date'],
      header: (name) => headers[name],
      payloadHash: sha256Hex(empty),
    })
    assert.equal(
      signature(deriveKey(SECRET, scope), stringToSign('20150830T123600Z', scope, canonical)),
      '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    )
  })

  test('accepts what botocore signed, with an ARN in the path and a session token', () => {
    const verified = verifier(temporary).begin(byBotocore(), 'lambda')
    verified.finish(body)
    assert.equal(verified.credential.region, 'us-east-1')
    assert.equal(verified.key, temporary)
  })

  test('refuses another body', () => {
    const verified = verifier(temporary).begin(byBotocore(), 'lambda')
    assert.throws(() => verified.finish(Buffer.from('{"a": 2}')), {
      code: 'InvalidSignatureException',
      status: 403,
    })
  })

  test('refuses a changed signed header, path, query and method', () => {
    const check = (head: RequestHead) => () => verifier(temporary).begin(head, 'lambda').finish(body)
    const refusal = { code: 'InvalidSignatureException' }
    assert.throws(check(byBotocore({ 'x-amz-log-type': 'None' })), refusal)
    assert.throws(check({ ...byBotocore(), path: '/2015-03-31/functions/g/invocations' }), refusal)
    assert.throws(check({ ...byBotocore(), query: 'Qualifier=1' }), refusal)
    assert.throws(check({ ...byBotocore(), method: 'PUT' }), refusal)
  })

  test('checks a declared body hash before the body is there', () => {
    const url = new URL('http://127.0.0.1:4566/2015-03-31/functions/f/invocations')
    const headers = signRequest({
      method: 'POST',
      url,
      body,
      credentials: { accessKeyId: ID, secret: SECRET },
      region: 'us-east-1',
      service: 'lambda',
      nowMs: AT,
    })
    const head = { method: 'POST', path: url.pathname, query: '', headers }
    verifier(KEY).begin(head, 'lambda').finish(body)
    assert.throws(() => verifier(KEY).begin(head, 'lambda').finish(empty), {
      code: 'InvalidSignatureException',
    })
    const wrong = { ...head, path: '/2015-03-31/functions/g/invocations' }
    assert.throws(() => verifier(KEY).begin(wrong, 'lambda'), { code: 'InvalidSignatureException' })
  })

  test('accepts a presigned URL until it expires', () => {
    verifier(KEY, AT + 60_000)
      .begin(presigned(), 'lambda')
      .finish(empty)
    assert.throws(() => verifier(KEY, AT + 61_000).begin(presigned(), 'lambda'), {
      code: 'InvalidSignatureException',
      message:
        'Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z (20260102T030506Z - 60 sec.)',
    })
    const longer = presigned((query) => query.replace('Expires=60', 'Expires=600'))
    assert.throws(() => verifier(KEY).begin(longer, 'lambda').finish(empty), {
      code: 'InvalidSignatureException',
    })
  })

  test('allows five minutes of clock skew either way', () => {
    for (const nowMs of [AT - 300_000, AT + 300_000]) {
      verifier(temporary, nowMs).begin(byBotocore(), 'lambda').finish(body)
    }
    assert.throws(() => verifier(temporary, AT + 301_000).begin(byBotocore(), 'lambda'), {
      message:
        'Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z (20260102T030906Z - 5 min.)',
    })
    assert.throws(() => verifier(temporary, AT - 301_000).begin(byBotocore(), 'lambda'), {
      message:
        'Signature not yet current: 20260102T030405Z is still later than 20260102T030404Z (20260102T025904Z + 5 min.)',
    })
  })

  test('asks for exactly the token that belongs to the key', () => {
    const refusal = { code: 'UnrecognizedClientException' }
    assert.throws(() => verifier(KEY).begin(byBotocore(), 'lambda'), refusal)
    assert.throws(() => verifier({ ...KEY, sessionToken: 'other' }).begin(byBotocore(), 'lambda'), refusal)
    assert.throws(() => verifier(undefined).begin(byBotocore(), 'lambda'), refusal)
    assert.throws(() => verifier({ ...temporary, expiresAt: AT }).begin(byBotocore(), 'lambda'), {
      code: 'ExpiredTokenException',
    })
  })

  test('names what is missing', () => {
    const begin = (head: RequestHead) => () => verifier(KEY).begin(head, 'lambda')
    assert.throws(begin({ ...presigned(), query: '' }), {
      code: 'MissingAuthenticationTokenException',
      message: 'Missing Authentication Token',
    })
    assert.throws(begin(byBotocore({ authorization: 'AWS4-HMAC-SHA256 nothing' })), {
      code: 'IncompleteSignatureException',
      message:
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter.",
    })
    assert.throws(begin(presigned((query) => query.replace('%2Faws4_request', ''))), {
      code: 'IncompleteSignatureException',
    })
  })

  test('insists on the service, the day, the terminator and a signed host', () => {
    const refusal = { code: 'InvalidSignatureException' }
    const begin = (from: string, to: string) => () =>
      verifier(KEY).begin(
        presigned((query) => query.replace(from, to)),
        'lambda',
      )
    assert.throws(begin('%2Flambda%2F', '%2Flogs%2F'), refusal)
    assert.throws(begin('%2F20260102%2F', '%2F20260101%2F'), refusal)
    assert.throws(begin('aws4_request', 'aws5_request'), refusal)
    assert.throws(begin('SignedHeaders=host', 'SignedHeaders=date'), refusal)
  })

  test('is not led astray by header names that are properties of every object', () => {
    const head = presigned((query) => query.replace('SignedHeaders=host', 'SignedHeaders=constructor%3Bhost'))
    assert.throws(() => verifier(KEY).begin(head, 'lambda'), { code: 'InvalidSignatureException' })
  })

  test('signs for S3 as botocore does', () => {
    const headers = signRequest({
      method: 'GET',
      url: new URL('http://bucket.s3.us-east-1.amazonaws.com/a//c%20d%281%29%2Bx?versionId=1'),
      credentials: { accessKeyId: ID, secret: SECRET, sessionToken: TOKEN },
      region: 'us-east-1',
      service: 's3',
      nowMs: AT,
    })
    assert.equal(
      headers['authorization'],
      `AWS4-HMAC-SHA256 Credential=${ID}/20260102/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=3e620b5efcd28563ebdeee51f3c82081c3b34673e97d6968dfd9cc34f70bea82`,
    )
  })

  test('keeps no more derived keys than it may', () => {
    const cache = createKeyCache(2)
    const scope = (date: string) => ({ date, region: 'r', service: 's' })
    const first = cache.key('a', scope('1'))
    cache.key('a', scope('2'))
    assert.equal(cache.key('a', scope('1')), first)
    cache.key('a', scope('3'))
    assert.equal(cache.key('a', scope('1')), first)
    cache.key('a', scope('2'))
    cache.key('a', scope('3'))
    assert.notEqual(cache.key('a', scope('1')), first)
  })
})
