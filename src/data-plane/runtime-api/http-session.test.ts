import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'

import { ChannelClosed } from '#data-plane/runtime-api/port.ts'

import * as act from '../../../test/support/fake-runtime.ts'
import { invocation, MAX_BYTES, NEXT, startRuntimeApi } from '../../../test/support/runtime-api.ts'

const INIT = { handler: 'x', env: {}, taskRoot: '/var/task' }

test('the first call of next ends the init, and an invocation carries all its headers', async () => {
  await using guest = await startRuntimeApi()
  const init = guest.session.init(INIT)
  const outcome = guest.session.invoke(
    invocation({
      traceId: 'Root=1-2-3',
      clientContext: '{"a":\n"é"}',
      cognitoIdentity: '{"cognitoIdentityId":"me"}',
      tenantId: 'blue',
    }),
  )
  const [given, accepted] = await guest.run(act.next(), act.respond('{"ok":true}'))
  assert.deepEqual(await init, { kind: 'ready' })
  assert.deepEqual(await outcome, { kind: 'response', payload: Buffer.from('{"ok":true}') })
  assert.equal(given?.status, 200)
  assert.equal(given.text, '{"a":1}')
  const { connection: _c, 'keep-alive': _k, ...headers } = given.headers
  assert.deepEqual(headers, {
    'content-type': 'application/json',
    'content-length': '7',
    'lambda-runtime-aws-request-id': 'request-1',
    'lambda-runtime-deadline-ms': '1790000000123',
    'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:us-east-1:000000000000:function:hello',
    'lambda-runtime-trace-id': 'Root=1-2-3',
    'lambda-runtime-client-context': Buffer.from('{"a": "é"}').toString('latin1'),
    'lambda-runtime-cognito-identity': '{"cognitoIdentityId":"me"}',
    'lambda-runtime-aws-tenant-id': 'blue',
  })
  assert.deepEqual([accepted?.status, accepted?.text], [202, '{"status":"OK"}\n'])
})

test('invocations follow each other on one connection', async () => {
  await using guest = await startRuntimeApi()
  const runtime = guest.run(
    act.next(),
    act.respond('1'),
    act.next(),
    act.respond('2'),
    act.next(),
    act.fail('3'),
  )
  const ends = []
  for (const requestId of ['r1', 'r2', 'r3']) ends.push(await guest.session.invoke(invocation({ requestId })))
  await runtime
  assert.deepEqual(
    ends.map((end) => [end.kind, 'payload' in end ? Buffer.from(end.payload).toString() : '']),
    [
      ['response', '1'],
      ['response', '2'],
      ['error', '3'],
    ],
  )
})

test('idle resolves when the runtime has asked for the next invocation', async () => {
  await using guest = await startRuntimeApi()
  const outcome = guest.session.invoke(invocation())
  let idle = false
  const runtime = guest.run(act.next(), act.respond('1'), act.sleep(20), async () => {
    assert.equal(idle, false)
    return undefined
  })
  await outcome
  const waiting = guest.session.idle().then(() => (idle = true))
  await runtime
  const last = guest.run(act.next()).catch(() => {})
  await waiting
  guest.session.close()
  await last
})

test('a handler error keeps its document and its type', async () => {
  await using guest = await startRuntimeApi()
  const document = '{"errorMessage":"m","errorType":"t","stackTrace":["a"]}'
  for (const [headers, errorType] of [
    [{ 'Lambda-Runtime-Function-Error-Type': 'Runtime.MyReason' }, 'Runtime.MyReason'],
    [{ 'Lambda-Runtime-Function-Error-Type': 'Function.x' }, 'Function.Unknown'],
    [{ 'Lambda-Runtime-Function-Error-Type': 'anything' }, 'Runtime.Unknown'],
    [{}, 'Runtime.Unknown'],
  ] as const) {
    const outcome = guest.session.invoke(invocation())
    const [, accepted] = await guest.run(act.next(), act.fail(document, headers))
    assert.equal(accepted?.status, 202)
    assert.deepEqual(await outcome, { kind: 'error', errorType, payload: Buffer.from(document) })
  }
})

test('the cause of an error is taken out of the combined form', async () => {
  await using guest = await startRuntimeApi()
  const type = { 'Content-Type': 'application/vnd.aws.lambda.error.cause+json' }
  for (const [sent, kept] of [
    [
      '{"errorMessage":"m","errorType":"t","stackTrace":["a"],"errorCause":{"x":1}}',
      '{"errorMessage":"m","errorType":"t","stackTrace":["a"]}',
    ],
    ['{}', '{"errorMessage":"","errorType":""}'],
    ['nonsense', '"Invalid error body"'],
    ['null', '"Invalid error body"'],
  ] as const) {
    const outcome = guest.session.invoke(invocation())
    await guest.run(act.next(), act.fail(sent, type))
    const end = await outcome
    assert.ok(end.kind === 'error')
    assert.equal(Buffer.from(end.payload).toString(), kept)
  }
})

test('an init error ends the init, and nothing may follow it', async () => {
  await using guest = await startRuntimeApi()
  const init = guest.session.init(INIT)
  const answers = await guest.run(
    act.failInit('{"errorMessage":"no"}', { 'Lambda-Runtime-Function-Error-Type': 'Runtime.NoSuchHandler' }),
    act.failInit('{}'),
    act.next(),
  )
  assert.deepEqual(await init, {
    kind: 'error',
    errorType: 'Runtime.NoSuchHandler',
    payload: Buffer.from('{"errorMessage":"no"}'),
  })
  assert.deepEqual(
    answers.map(({ status, text }) => [status, text]),
    [
      [202, '{"status":"OK"}\n'],
      [
        403,
        '{"errorMessage":"State transition from InitError to InitError failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}\n',
      ],
      [
        403,
        '{"errorMessage":"State transition from InitError to Ready failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}\n',
      ],
    ],
  )
})

test('answers out of turn are refused and change nothing', async () => {
  await using guest = await startRuntimeApi()
  const [early] = await guest.run(act.respond('x', { id: 'request-1' }))
  const outcome = guest.session.invoke(invocation())
  const [, wrong, again, late, twice, init] = await guest.run(
    act.next(),
    act.respond('x', { id: 'other' }),
    act.next(),
    act.respond('"right"'),
    act.respond('"second"'),
    act.failInit('{}'),
  )
  const invalidId = '{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}\n'
  assert.deepEqual([early?.status, early?.text], [400, invalidId])
  assert.deepEqual([wrong?.status, wrong?.text], [400, invalidId])
  assert.deepEqual(
    [again?.status, again?.text],
    [200, '{"a":1}'],
    'while it runs it gets the same invocation again',
  )
  assert.equal(late?.status, 202)
  assert.equal(twice?.status, 403)
  assert.match(twice?.text ?? '', /from RuntimeResponseSentState to InvocationResponse failed for runtime\./)
  assert.equal(init?.status, 403)
  assert.match(init?.text ?? '', /from RuntimeResponseSentState to InitError failed/)
  assert.deepEqual(await outcome, { kind: 'response', payload: Buffer.from('"right"') })
})

test('a response that is too large is read to its end, refused, and reported with its size', async () => {
  await using guest = await startRuntimeApi()
  for (const action of [
    act.respond(Buffer.alloc(MAX_BYTES + 1)),
    act.stream(Array(101).fill('x'.repeat(1000)) as string[]),
  ]) {
    const outcome = guest.session.invoke(invocation())
    const [, refused] = await guest.run(act.next(), action)
    assert.equal(refused?.status, 413)
    assert.equal(
      refused.text,
      '{"errorMessage":"Exceeded maximum allowed payload size (100000 bytes).","errorType":"RequestEntityTooLarge"}\n',
    )
    const end = await outcome
    assert.ok(end.kind === 'too-large' && end.sizeBytes > MAX_BYTES)
  }
  const outcome = guest.session.invoke(invocation())
  await guest.run(act.next(), act.respond(Buffer.alloc(MAX_BYTES)))
  assert.equal((await outcome).kind, 'response')
})

test('a streamed response is put together, and an error in its trailers replaces it', async () => {
  await using guest = await startRuntimeApi()
  const whole = guest.session.invoke(invocation())
  await guest.run(act.next(), act.stream(['one ', 'two', ' three']))
  assert.deepEqual(await whole, { kind: 'response', payload: Buffer.from('one two three') })

  const document = '{"errorMessage":"half-way"}'
  const broken = guest.session.invoke(invocation())
  const [, accepted] = await guest.run(
    act.next(),
    act.stream(['one '], {
      'Lambda-Runtime-Function-Error-Type': 'Runtime.StreamError',
      'Lambda-Runtime-Function-Error-Body': Buffer.from(document).toString('base64'),
    }),
  )
  assert.equal(accepted?.status, 202)
  assert.deepEqual(await broken, {
    kind: 'error',
    errorType: 'Runtime.StreamError',
    payload: Buffer.from(document),
  })
})

test('an unknown response mode is refused and ends the invocation', async () => {
  await using guest = await startRuntimeApi()
  const outcome = guest.session.invoke(invocation())
  const [, refused] = await guest.run(
    act.next(),
    act.respond('x', { headers: { 'Lambda-Runtime-Function-Response-Mode': 'sideways' } }),
  )
  assert.deepEqual(
    [refused?.status, refused?.text],
    [400, '{"errorMessage":"Invalid function response mode","errorType":"InvalidFunctionResponseMode"}\n'],
  )
  const end = await outcome
  assert.ok(end.kind === 'error')
  assert.equal(end.errorType, 'Runtime.InvalidResponseModeHeader')
})

test('paths that are not there, or not yet, are answered as AWS does', async () => {
  await using guest = await startRuntimeApi()
  const answers = await guest.run(
    act.call('GET', '/2018-06-01/ping'),
    act.call('GET', '/nothing'),
    act.call('POST', NEXT),
    act.call('GET', '/2018-06-01/runtime/restore/next'),
    act.call('GET', '/2021-04-23/credentials'),
  )
  assert.deepEqual(
    answers.map(({ status, text }) => [status, text]),
    [
      [200, 'pong'],
      [404, '404 page not found\n'],
      [405, ''],
      [404, '404 page not found\n'],
      [404, '404 page not found\n'],
    ],
  )
})

test('a runtime that lost its connection while it waited is found on its new one', async () => {
  await using guest = await startRuntimeApi()
  const lost = connect(guest.port, '127.0.0.1')
  lost.write(`GET ${NEXT} HTTP/1.1\r\nHost: x\r\n\r\n`)
  await guest.session.idle()
  const gone = new Promise((resolve) => {
    lost.on('close', resolve)
  })
  lost.destroy()
  await gone
  const runtime = guest.run(act.next(), act.respond('"here"'))
  const outcome = await guest.session.invoke(invocation())
  assert.deepEqual(outcome, { kind: 'response', payload: Buffer.from('"here"') })
  await runtime
})

test('a response that breaks off ends the invocation as truncated', async () => {
  await using guest = await startRuntimeApi()
  const outcome = guest.session.invoke(invocation())
  await guest.run(act.next(), async (runtime) => {
    const path = `/2018-06-01/runtime/invocation/${runtime.requestId()}/response`
    const socket = connect(guest.port, '127.0.0.1')
    socket.end(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf`)
    return undefined
  })
  const end = await outcome
  assert.ok(end.kind === 'error')
  assert.equal(end.errorType, 'Runtime.TruncatedResponse')
})

test('closing the session rejects what waits and hangs up on the guest', async () => {
  await using guest = await startRuntimeApi()
  const waiting = guest.run(act.next(), act.next())
  await guest.session.init(INIT)
  const outcome = guest.session.invoke(invocation())
  const idle = guest.session.idle()
  guest.session.close()
  guest.session.close()
  await assert.rejects(outcome, ChannelClosed)
  await assert.rejects(idle, ChannelClosed)
  await assert.rejects(waiting)
  await assert.rejects(guest.session.invoke(invocation()), ChannelClosed)
  await assert.rejects(
    guest.session.init(INIT).then(() => guest.session.idle()),
    ChannelClosed,
  )
})
