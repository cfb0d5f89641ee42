import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'

import type { GuestInvocation } from '#contracts/invocation.ts'
import { createConcurrentSession } from '#data-plane/runtime-api/concurrent-session.ts'
import { createRouteService } from '#data-plane/runtime-api/http-service.ts'
import { ChannelClosed } from '#data-plane/runtime-api/port.ts'

const invocation = (requestId: string): GuestInvocation => ({
  requestId,
  payload: Buffer.from(`{"of":"${requestId}"}`),
  deadlineMs: 1,
  invokedFunctionArn: 'arn',
})

interface Answer {
  readonly status: number
  readonly id: string | undefined
  readonly body: string
}

async function setup(t: TestContext, maxConcurrency = 2) {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const service = createRouteService(maxConcurrency)
  const stopServing = service.serve(server)
  const session = createConcurrentSession({ service, maxResponseBytes: 100, maxConcurrency })
  const agent = new Agent({ keepAlive: true })
  t.after(() => {
    session.close()
    stopServing()
    agent.destroy()
    server.close()
  })
  const call = (method: string, path: string, body = '', headers: Record<string, string> = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const sent = request(
        { port, host: '127.0.0.1', method, path: `/2018-06-01/runtime${path}`, agent, headers },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              id: response.headers['lambda-runtime-aws-request-id'] as string | undefined,
              body: Buffer.concat(chunks).toString(),
            }),
          )
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
  return {
    session,
    next: () => call('GET', '/invocation/next'),
    respond: (id: string, body: string) => call('POST', `/invocation/${id}/response`, body),
    call,
  }
}
const textOf = (outcome: object) => Buffer.from((outcome as { payload: Uint8Array }).payload).toString()

test('concurrent session: ready with the first poll, invocations go out in order, answers come in any', async (t) => {
  const { session, next, respond } = await setup(t)
  const polls = [next(), next()]
  assert.deepEqual(await session.init({ handler: '', env: {}, taskRoot: '' }), { kind: 'ready' })
  const ends = [session.invoke(invocation('a')), session.invoke(invocation('b'))]
  const given = await Promise.all(polls)
  assert.deepEqual(given.map(({ id }) => id).toSorted(), ['a', 'b'])
  for (const { id, body } of given) assert.equal(body, `{"of":"${id}"}`)
  assert.equal((await respond('b', '"second"')).status, 202)
  assert.equal((await respond('a', '"first"')).status, 202)
  assert.deepEqual((await Promise.all(ends)).map(textOf), ['"first"', '"second"'])
})

test('concurrent session: one connection may ask for the next one before it has answered the last', async (t) => {
  const { session, next, respond } = await setup(t)
  const ends = ['a', 'b'].map((id) => session.invoke(invocation(id)))
  assert.equal((await next()).id, 'a')
  assert.equal((await next()).id, 'b')
  await respond('a', '1')
  await respond('b', '2')
  assert.deepEqual((await Promise.all(ends)).map(textOf), ['1', '2'])
})

test('concurrent session: an answer to nothing, or a second one, is refused and harms nobody', async (t) => {
  const { session, next, respond, call } = await setup(t)
  const end = session.invoke(invocation('a'))
  await next()
  assert.equal((await respond('b', '1')).status, 400)
  const error = { 'Lambda-Runtime-Function-Error-Type': 'Function.Mine' }
  assert.equal(
    (await call('POST', '/invocation/a/error', '{"errorType":"Function.Mine"}', error)).status,
    202,
  )
  assert.equal((await respond('a', '1')).status, 400)
  assert.deepEqual(
    { ...(await end), payload: '' },
    { kind: 'error', errorType: 'Function.Mine', payload: '' },
  )
})

test('concurrent session: too long an answer is that of its invocation only', async (t) => {
  const { session, next, respond } = await setup(t)
  const ends = ['a', 'b'].map((id) => session.invoke(invocation(id)))
  await next()
  await next()
  assert.equal((await respond('a', 'x'.repeat(101))).status, 413)
  await respond('b', '2')
  const [first, second] = await Promise.all(ends)
  assert.deepEqual(first, { kind: 'too-large', sizeBytes: 101 })
  assert.equal(textOf(second ?? {}), '2')
})

test('concurrent session: the first worker that is ready decides; later errors are its own', async (t) => {
  const failing = await setup(t)
  const failed = failing.session.init({ handler: '', env: {}, taskRoot: '' })
  await failing.call('POST', '/init/error', '{}', { 'Lambda-Runtime-Function-Error-Type': 'Runtime.Broken' })
  assert.equal((await failed).kind, 'error')
  assert.equal((await failing.next()).status, 403)
  const ready = await setup(t)
  void ready.next().catch(() => {})
  assert.equal((await ready.session.init({ handler: '', env: {}, taskRoot: '' })).kind, 'ready')
  assert.equal((await ready.call('POST', '/init/error', '{}')).status, 403)
})

test('concurrent session: what is given up is not given out, or is held until it is answered', async (t) => {
  const { session, next, respond } = await setup(t)
  session.invoke(invocation('never')).catch(() => {})
  session.abandon('never')
  const end = session.invoke(invocation('a'))
  assert.equal((await next()).id, 'a')
  session.abandon('a')
  assert.equal(session.holds('a'), true)
  await assert.rejects(session.invoke(invocation('a')), /already/)
  await respond('a', '1')
  assert.equal(session.holds('a'), false)
  assert.equal(textOf(await end), '1')
})

test('concurrent session: a runtime that leaves too many unanswered is given up', async (t) => {
  const { session, next } = await setup(t, 1)
  const ends = ['a', 'b', 'c'].map((id) => session.invoke(invocation(id)))
  const failures = Promise.allSettled(ends)
  for (const _ of ends) await next()
  session.abandon('a')
  session.abandon('b')
  assert.equal(session.holds('a'), true)
  session.abandon('c')
  for (const failure of await failures) {
    assert.ok(failure.status === 'rejected' && failure.reason instanceof ChannelClosed)
  }
  await assert.rejects(session.invoke(invocation('d')), ChannelClosed)
})
