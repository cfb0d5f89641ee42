/** --auth signature: who is let in, and what everybody else is told. */
// parity: ListFunctions Invoke
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash, createHmac } from 'node:crypto'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { LambdaClient, ListFunctionsCommand, type LambdaClientConfig } from '@aws-sdk/client-lambda'

import { createFunction, errorOf, invoke } from '../support/clients.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'

const KEY = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const FUNCTIONS = '/2015-03-31/functions'
const DOES_NOT_MATCH =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.'
const hmac = (key: string | Uint8Array, text: string) => createHmac('sha256', key).update(text).digest()
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const stamp = (atMs: number) => `${new Date(atMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`

/** A presigned URL for GET, written anew from AWS's specification. */
function presign(
  endpoint: string,
  path: string,
  { atMs = Date.now(), expiresS = 60, service = 'lambda', secret = KEY.secretAccessKey } = {},
): URL {
  const url = new URL(path, endpoint)
  const at = stamp(atMs)
  const scope = `${at.slice(0, 8)}/us-east-1/${service}/aws4_request`
  const query: readonly (readonly [string, string])[] = [
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${KEY.accessKeyId}/${scope}`],
    ['X-Amz-Date', at],
    ['X-Amz-Expires', String(expiresS)],
    ['X-Amz-SignedHeaders', 'host'],
  ]
  const text = query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
  const canonical = ['GET', path, text, `host:${url.host}`, '', 'host', sha256('')].join('\n')
  const key = ['us-east-1', service, 'aws4_request'].reduce<Uint8Array>(
    (so, part) => hmac(so, part),
    hmac(`AWS4${secret}`, at.slice(0, 8)),
  )
  const proof = hmac(key, ['AWS4-HMAC-SHA256', at, scope, sha256(canonical)].join('\n')).toString('hex')
  url.search = `${text}&X-Amz-Signature=${proof}`
  return url
}

describe('--auth signature', () => {
  let program: Program
  before(async () => {
    program = await startProgram({
      args: [
        '--auth=signature',
        `--access-key-id=${KEY.accessKeyId}`,
        `--secret-access-key=${KEY.secretAccessKey}`,
      ],
    })
  })
  after(() => program.stop())
  const client = (credentials: LambdaClientConfig['credentials'] = KEY, more: LambdaClientConfig = {}) =>
    new LambdaClient({
      endpoint: program.endpoint,
      region: 'us-east-1',
      credentials,
      maxAttempts: 1,
      ...more,
    })
  const list = (lambda: LambdaClient) => lambda.send(new ListFunctionsCommand({ MaxItems: 10 }))
  const get = async (url: URL | string, init?: RequestInit) => {
    const response = await fetch(url, init)
    const body = (await response.json()) as Record<string, unknown>
    return { status: response.status, type: response.headers.get('x-amzn-errortype'), body }
  }

  test('the right key does everything, with ARNs and payloads too', async () => {
    const lambda = client()
    await createFunction(lambda, {
      FunctionName: 'signed',
      files: { 'index.js': 'exports.handler = async (event, context) => [event, context.clientContext]' },
    })
    const answer = await invoke(
      lambda,
      'arn:aws:lambda:us-east-1:000000000000:function:signed',
      { 'ü / +': '%' },
      { ClientContext: Buffer.from('{"custom":{}}').toString('base64') },
    )
    assert.deepEqual(answer.payload, [{ 'ü / +': '%' }, { custom: {} }])
    assert.equal((await list(lambda)).Functions?.length, 1)
    const logs = new CloudWatchLogsClient({
      endpoint: program.endpoint,
      region: 'us-east-1',
      credentials: KEY,
    })
    assert.ok((await logs.send(new DescribeLogGroupsCommand({}))).logGroups)
  })

  test('a wrong secret, an unknown key and a strange token are told apart as in AWS', async () => {
    assert.deepEqual(await errorOf(list(client({ ...KEY, secretAccessKey: 'wrong' }))), {
      name: 'InvalidSignatureException',
      message: DOES_NOT_MATCH,
      status: 403,
    })
    const unknown = {
      name: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
      status: 403,
    }
    assert.deepEqual(await errorOf(list(client({ ...KEY, accessKeyId: 'AKIDOTHER' }))), unknown)
    assert.deepEqual(await errorOf(list(client({ ...KEY, sessionToken: 'made up' }))), unknown)
    assert.deepEqual(await errorOf(list(client({ accessKeyId: 'test', secretAccessKey: 'test' }))), unknown)
    for (const accessKeyId of ['__proto__', 'constructor']) {
      assert.deepEqual(await errorOf(list(client({ ...KEY, accessKeyId }))), unknown)
    }
  })

  test('a clock that is more than five minutes off is refused, one that is less is not', async () => {
    for (const minutes of [-4, 4]) {
      assert.ok((await list(client(KEY, { systemClockOffset: minutes * 60_000 }))).Functions)
    }
    const late = await errorOf(list(client(KEY, { systemClockOffset: -6 * 60_000 })))
    assert.deepEqual([late.name, late.status], ['InvalidSignatureException', 403])
    assert.match(
      late.message,
      /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/,
    )
    const early = await errorOf(list(client(KEY, { systemClockOffset: 6 * 60_000 })))
    assert.deepEqual([early.name, early.status], ['InvalidSignatureException', 403])
    assert.match(
      early.message,
      /^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ 5 min\.\)$/,
    )
  })

  test('presigned requests are good until they expire, and only as they were signed', async () => {
    const good = presign(program.endpoint, FUNCTIONS)
    assert.equal((await get(good)).status, 200)
    const old = await get(presign(program.endpoint, FUNCTIONS, { atMs: Date.now() - 61_000 }))
    assert.deepEqual([old.status, old.type], [403, 'InvalidSignatureException'])
    assert.match(String(old.body['message']), /^Signature expired: /)
    for (const url of [
      presign(program.endpoint, FUNCTIONS, { secret: 'wrong' }),
      new URL(`${good.href}&MaxItems=1`),
      new URL(good.href.replace(FUNCTIONS, `${FUNCTIONS}/signed`)),
    ]) {
      const answer = await get(url)
      assert.deepEqual(
        [answer.status, answer.type, answer.body],
        [403, 'InvalidSignatureException', { message: DOES_NOT_MATCH }],
      )
    }
    const otherService = await get(presign(program.endpoint, FUNCTIONS, { service: 's3' }))
    assert.deepEqual(otherService.body, {
      message: "Credential should be scoped to correct service: 'lambda'.",
    })
    const forever = await get(presign(program.endpoint, FUNCTIONS, { expiresS: 604_801 }))
    assert.equal(forever.status, 403)
    // Signed for GET; the same URL does not delete.
    assert.equal((await get(good, { method: 'POST', body: '{}' })).status, 403)
  })

  test('an unsigned request is told so, and half a signature what is missing', async () => {
    const unsigned = await get(`${program.endpoint}${FUNCTIONS}`)
    assert.deepEqual(unsigned, {
      status: 403,
      type: 'MissingAuthenticationTokenException',
      body: { message: 'Missing Authentication Token' },
    })
    for (const authorization of [
      'AWS4-HMAC-SHA256',
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE',
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/lambda, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
    ]) {
      const answer = await get(`${program.endpoint}${FUNCTIONS}`, {
        headers: { authorization, 'x-amz-date': stamp(Date.now()) },
      })
      assert.deepEqual([answer.status, answer.type], [403, 'IncompleteSignatureException'])
    }
    for (const authorization of ['Bearer x', 'Basic eDp5', 'AWS AKIDEXAMPLE:sig']) {
      const answer = await get(`${program.endpoint}${FUNCTIONS}`, { headers: { authorization } })
      assert.equal(answer.status, 403)
    }
  })

  test('a changed body or header is noticed', async () => {
    const lambda = client()
    lambda.middlewareStack.add(
      (next) => (args) => {
        // After the signature: what a proxy in between could do.
        const request = args.request as { body?: unknown }
        request.body = '{"modified":1}'
        return next(args)
      },
      { step: 'finalizeRequest', priority: 'low' },
    )
    const error = await errorOf(invoke(lambda, 'signed', { original: 1 }))
    assert.deepEqual([error.name, error.status], ['InvalidSignatureException', 403])
  })

  test("the program's own paths tell no secrets to strangers", async () => {
    const health = await fetch(`${program.endpoint}/_lambent/health`)
    assert.equal(health.status, 200)
    const text = await health.text()
    assert.ok(!text.includes(KEY.secretAccessKey) && !text.includes('signed'))
    assert.equal((await fetch(`${program.endpoint}/_lambent/code/${'0'.repeat(64)}`)).status >= 400, true)
  })
})

test('an address that others reach is refused without --auth, and with the known secret', async (t) => {
  const directory = await temporaryDirectory(t)
  const serve = join(import.meta.dirname, '../../src/bin/serve.ts')
  const run = async (...args: string[]) => {
    try {
      await promisify(execFile)(
        process.execPath,
        [
          '--disable-warning=ExperimentalWarning',
          '--conditions=source',
          serve,
          '--port=0',
          `--data=${directory}/data`,
          '--no-examples',
          ...args,
        ],
        { timeout: 20_000 },
      )
    } catch (error) {
      const { code, stderr, killed } = error as { code: number; stderr: string; killed: boolean }
      return { code, killed, first: stderr.split('\n')[0] }
    }
    throw new Error('It ran')
  }
  const refused = await run('--host=0.0.0.0')
  assert.equal(refused.code, 2)
  assert.match(
    refused.first ?? '',
    /can be reached from other machines, so requests must be signed: add --auth signature/,
  )
  const known = await run('--host=0.0.0.0', '--auth=signature')
  assert.equal(known.code, 2)
  assert.match(known.first ?? '', /choose a --secret-access-key of your own/)
  assert.equal((await run('--host=::')).code, 2)
})

test('with --auth off a web page of another site can not use the API, a page of this machine can', async (t) => {
  const program = await startProgram()
  t.after(() => program.stop())
  const list = (origin: string) => fetch(`${program.endpoint}/2015-03-31/functions/`, { headers: { origin } })
  const foreign = await list('https://example.org')
  assert.deepEqual([foreign.status, foreign.headers.get('x-amzn-errortype')], [403, 'AccessDeniedException'])
  assert.equal((await list('http://localhost:3000')).status, 200)
})
