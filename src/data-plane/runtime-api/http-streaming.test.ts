import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'

import { createSlowStream } from '../../../test/support/slow-stream.ts'
import * as act from '../../../test/support/fake-runtime.ts'
import { invocation, startRuntimeApi } from '../../../test/support/runtime-api.ts'

const HEAD =
  'POST /2018-06-01/runtime/invocation/request-1/response HTTP/1.1\r\nHost: x\r\nContent-Type: text/html\r\n' +
  'Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\r\n'
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`

/** Resolves when `look` holds; the test's own timeout is the end of patience. */
async function until(look: () => boolean): Promise<void> {
  while (!look()) await new Promise((resolve) => setImmediate(resolve))
}

const received = (socket: Socket, pattern: RegExp) =>
  new Promise<string>((resolve) => {
    let text = ''
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1')
      if (pattern.test(text)) resolve(text)
    })
  })

test('a streamed response is handed on as it comes, from its head to its trailers', async () => {
  await using guest = await startRuntimeApi()
  const stream = createSlowStream()
  const outcome = guest.session.invoke(invocation(), stream)
  await guest.run(act.next())
  const socket = connect(guest.port, '127.0.0.1')
  socket.write(HEAD)
  await until(() => stream.contentTypes.length > 0)
  assert.deepEqual(stream.contentTypes, ['text/html'])
  socket.write(chunk('one '))
  await until(() => stream.text() === 'one ')
  // Half of a chunk is not waited for.
  socket.write(chunk('two three').slice(0, 6))
  await until(() => stream.text() === 'one two')
  const accepted = received(socket, /202 Accepted/)
  socket.write(`${chunk('two three').slice(6)}0\r\n\r\n`)
  assert.deepEqual(await outcome, { kind: 'response', payload: new Uint8Array() })
  assert.equal(stream.text(), 'one two three')
  await accepted
  socket.destroy()

  const broken = guest.session.invoke(invocation(), createSlowStream())
  const trailer = 'Lambda-Runtime-Function-Error'
  await guest.run(
    act.next(),
    act.stream(['one'], { [`${trailer}-Type`]: 'Runtime.Mine', [`${trailer}-Body`]: 'e30=' }),
  )
  assert.deepEqual(await broken, { kind: 'error', errorType: 'Runtime.Mine', payload: Buffer.from('{}') })
})

test('a response that is not streamed is not handed on, whoever would take it', async () => {
  await using guest = await startRuntimeApi()
  const stream = createSlowStream()
  const outcome = guest.session.invoke(invocation(), stream)
  await guest.run(act.next(), act.respond('"whole"'))
  assert.deepEqual(await outcome, { kind: 'response', payload: Buffer.from('"whole"') })
  assert.deepEqual(stream.contentTypes, [])
})

test('a stream beyond its limit is refused at its end, and was cut there', async () => {
  await using guest = await startRuntimeApi()
  const stream = createSlowStream({ maxBytes: 5 })
  const outcome = guest.session.invoke(invocation(), stream)
  const [, refused] = await guest.run(act.next(), act.stream(['one', 'two', 'three']))
  assert.equal(refused?.status, 413)
  assert.match(refused.text, /\(5 bytes\)/)
  assert.deepEqual(await outcome, { kind: 'too-large', sizeBytes: 11, limitBytes: 5 })
  assert.equal(stream.text(), 'onetw')
})

test('a runtime waits for whoever takes its stream, and its next call does not', async () => {
  await using guest = await startRuntimeApi()
  const slow = createSlowStream({ slow: true })
  const outcome = guest.session.invoke(invocation(), slow)
  await guest.run(act.next())
  const socket = connect(guest.port, '127.0.0.1')
  const whole = 64 * 1024 * 1024
  const pieceBytes = 1024 * 1024
  socket.write(HEAD)
  socket.write(chunk('first'))
  await until(() => slow.receivedBytes > 0)
  for (let left = whole; left > 0; left -= pieceBytes) socket.write(chunk('x'.repeat(pieceBytes)))
  // What the kernel holds is a few megabytes at most, so most of it stays with the runtime.
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(slow.receivedBytes < pieceBytes, `${slow.receivedBytes} bytes were taken`)
  assert.ok(socket.writableLength > whole / 2, `${socket.writableLength} bytes wait`)
  slow.open()
  socket.write('0\r\n\r\n')
  assert.equal((await outcome).kind, 'response')
  assert.equal(slow.receivedBytes, whole + 5)

  const unread = createSlowStream({ slow: true })
  const ended = guest.session.invoke(invocation(), unread)
  const answers = received(socket, /HTTP[^]*HTTP[^]*\{"a":1\}[^]*/)
  socket.write('GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n')
  await answers
  socket.write(
    `${HEAD}${chunk('one')}0\r\n\r\nGET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n`,
  )
  assert.equal((await ended).kind, 'response')
  await guest.session.idle()
  socket.destroy()
})

test('a runtime that hangs up in the middle of its stream has not answered', async () => {
  await using guest = await startRuntimeApi()
  const slow = createSlowStream({ slow: true })
  const outcome = guest.session.invoke(invocation(), slow)
  await guest.run(act.next())
  const socket = connect(guest.port, '127.0.0.1')
  socket.write(HEAD + chunk('one'))
  await until(() => slow.receivedBytes > 0)
  slow.open()
  socket.destroy()
  const end = await outcome
  assert.ok(end.kind === 'error')
  assert.equal(end.errorType, 'Runtime.TruncatedResponse')
})
