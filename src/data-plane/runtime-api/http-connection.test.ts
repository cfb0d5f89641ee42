import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'

import * as act from '../../../test/support/fake-runtime.ts'
import { exchange, invocation, NEXT, startRuntimeApi } from '../../../test/support/runtime-api.ts'

test('the answer and the call for the next invocation may come in one piece, at any cut', async () => {
  const post =
    'POST /2018-06-01/runtime/invocation/r1/response HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"1"'
  const get = `GET ${NEXT} HTTP/1.1\r\nHost: x\r\n\r\n`
  const both = post + get
  for (let cut = 0; cut <= both.length; cut += 7) {
    await using guest = await startRuntimeApi()
    const first = guest.session.invoke(invocation({ requestId: 'r1' }))
    const text = exchange(guest.port, [get, both.slice(0, cut), both.slice(cut)], /r2[^]*\{"a":1\}/)
    assert.deepEqual(await first, { kind: 'response', payload: Buffer.from('"1"') })
    const second = guest.session.invoke(invocation({ requestId: 'r2' }))
    second.catch(() => {})
    assert.match(await text, /200 OK[^]*r1[^]*202 Accepted[^]*200 OK[^]*r2/)
  }
})

test('a client that asks first is told to continue', async () => {
  await using guest = await startRuntimeApi()
  const outcome = guest.session.invoke(invocation())
  await guest.run(act.next())
  const text = await exchange(
    guest.port,
    [
      'POST /2018-06-01/runtime/invocation/request-1/response HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n',
      '{}',
    ],
    /202 Accepted[^]*OK/,
  )
  assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 202 Accepted\r\n[^]*Connection: close\r\n/)
  assert.equal((await outcome).kind, 'response')
})

test('requests that cannot be understood are refused and their connection closed', async () => {
  await using guest = await startRuntimeApi()
  for (const [request, status] of [
    ['nonsense\r\n\r\n', 400],
    ['GET / HTTP/2.0\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: x\r\nA: \u0000\r\n\r\n', 400],
    ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n', 400],
    ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    ['POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n', 501],
    ['POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 400],
    ['POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: x\r\n${'A'.repeat(2_000_000)}`, 431],
    [
      `GET / HTTP/1.1\r\nHost: x\r\n${Array.from({ length: 200 }, (_, i) => `h${i}: 1\r\n`).join('')}\r\n`,
      431,
    ],
  ] as const) {
    const text = await exchange(guest.port, [request], /\r\n\r\n/)
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `), JSON.stringify(request.slice(0, 80)))
    assert.match(text, /Connection: close/)
  }
  // None of it has harmed the session.
  const outcome = guest.session.invoke(invocation())
  await guest.run(act.next(), act.respond('1'))
  assert.equal((await outcome).kind, 'response')
})

test('a client that asks without end and never reads is not listened to any more', async () => {
  await using guest = await startRuntimeApi()
  guest.session.invoke(invocation({ payload: Buffer.alloc(2_000_000, 'x') })).catch(() => {})
  const before = process.memoryUsage()
  const socket = connect(guest.port, '127.0.0.1')
  socket.on('error', () => {})
  const request = `GET ${NEXT} HTTP/1.1\r\nHost: x\r\n\r\n`
  let accepted = true
  for (let sent = 0; sent < 200 && accepted; sent++) {
    accepted = socket.write(request.repeat(2000))
    await new Promise((resolve) => setImmediate(resolve))
  }
  const after = process.memoryUsage()
  assert.equal(accepted, false)
  assert.ok(after.arrayBuffers - before.arrayBuffers < 50_000_000)
  socket.destroy()
  // Another connection is served as before.
  assert.equal((await guest.run(act.call('GET', '/2018-06-01/ping')))[0]?.text, 'pong')
})

test('many requests in one piece are all answered, in order', async () => {
  await using guest = await startRuntimeApi()
  const ping = 'GET /2018-06-01/ping HTTP/1.1\r\nHost: x\r\n\r\n'
  const text = await exchange(
    guest.port,
    [`${ping.repeat(500)}GET /end HTTP/1.1\r\nHost: x\r\n\r\n`],
    /404 page not found/,
  )
  assert.equal(text.match(/pong/g)?.length, 500)
})

test('a guest that opens connections without end gets only some of them', async () => {
  await using guest = await startRuntimeApi()
  const sockets = Array.from({ length: 80 }, () => connect(guest.port, '127.0.0.1'))
  let ended = 0
  await new Promise<void>((resolve) => {
    for (const socket of sockets) {
      socket.on('error', () => {})
      socket.on('close', () => {
        ended++
        if (ended === 48) resolve()
      })
    }
  })
  for (const socket of sockets) socket.destroy()
})
