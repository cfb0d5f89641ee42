import assert from 'node:assert/strict'
import type { Duplex } from 'node:stream'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'

import type { GuestInvocation } from '#contracts/invocation.ts'
import { GUEST_FRAME } from '#data-plane/runtime-api/frame.ts'
import { MAX_LOG_BYTES } from '#data-plane/runtime-api/frame-parser.ts'
import type { BootableSession } from '#data-plane/runtime-api/port.ts'
import { createFramedSession } from '#data-plane/runtime-api/framed-session.ts'
import type { GuestLogRecord } from '#data-plane/runtime-api/port.ts'
import { ChannelClosed } from '#data-plane/runtime-api/port.ts'

import { createSlowStream } from '../../../test/support/slow-stream.ts'

const MAX_BYTES = 100_000
const INIT = { handler: 'index.handler', env: { A: 'é' }, taskRoot: '/var/task' }

function frame(type: number, header: unknown = undefined, payload: string | Uint8Array = ''): Buffer {
  const head = Buffer.from(
    header === undefined ? '' : typeof header === 'string' ? header : JSON.stringify(header),
  )
  const body = Buffer.from(payload)
  const prefix = Buffer.alloc(9)
  prefix.writeUInt32BE(5 + head.length + body.length, 0)
  prefix[4] = type
  prefix.writeUInt32BE(head.length, 5)
  return Buffer.concat([prefix, head, body])
}

interface FakeGuest {
  readonly session: BootableSession
  readonly logs: GuestLogRecord[]
  readonly output: string[]
  readonly guest: Duplex
  /** The next frame from the host. */
  receive(): Promise<{ readonly type: number; readonly header: string; readonly payload: Buffer }>
}

function start(): FakeGuest {
  const [host, guest] = duplexPair()
  const logs: GuestLogRecord[] = []
  const output: string[] = []
  const session = createFramedSession({
    control: host,
    maxResponseBytes: MAX_BYTES,
    onLog: (record) => logs.push(record),
    onOutput: (chunk) => output.push(chunk.toString()),
  })
  const read = async (bytes: number): Promise<Buffer> => {
    for (;;) {
      const got = guest.read(bytes) as Buffer | null
      if (got) return got
      await new Promise((resolve) => guest.once('readable', resolve))
    }
  }
  return {
    session,
    logs,
    output,
    guest,
    async receive() {
      const prefix = await read(9)
      const headerBytes = prefix.readUInt32BE(5)
      const bodyBytes = prefix.readUInt32BE(0) - 5
      const body = bodyBytes === 0 ? Buffer.alloc(0) : await read(bodyBytes)
      return {
        type: prefix[4] ?? 0,
        header: body.toString('utf8', 0, headerBytes),
        payload: body.subarray(headerBytes),
      }
    },
  }
}

function invocation(more: Partial<GuestInvocation> = {}): GuestInvocation {
  return {
    requestId: 'request-1',
    payload: Buffer.from('{}'),
    deadlineMs: 5,
    invokedFunctionArn: 'arn',
    ...more,
  }
}

const READY = frame(GUEST_FRAME.ready, { protocol: 1, runtime: 'test' })

test('the guest boots, is told its function, and gets invocations with all they carry', async () => {
  const { session, guest, receive } = start()
  guest.write(READY)
  await session.ready
  const init = session.init(INIT)
  const told = await receive()
  assert.deepEqual([told.type, JSON.parse(told.payload.toString())], [0x01, INIT])
  guest.write(frame(GUEST_FRAME.initDone))
  assert.deepEqual(await init, { kind: 'ready' })

  const outcome = session.invoke(
    invocation({ traceId: 't', clientContext: '{"ü":1}', cognitoIdentity: 'i', tenantId: 'blue' }),
  )
  const given = await receive()
  assert.equal(given.type, 0x02)
  assert.equal(given.payload.toString(), '{}')
  assert.deepEqual(JSON.parse(given.header), {
    requestId: 'request-1',
    deadlineMs: 5,
    invokedFunctionArn: 'arn',
    traceId: 't',
    clientContext: '{"ü":1}',
    cognitoIdentity: 'i',
    tenantId: 'blue',
  })
  guest.write(frame(GUEST_FRAME.response, undefined, '"done"'))
  assert.deepEqual(await outcome, { kind: 'response', payload: Buffer.from('"done"') })
  session.close()
})

test('a large event arrives whole', async () => {
  const { session, receive } = start()
  const payload = Buffer.alloc(1_000_000, 'abc')
  session.invoke(invocation({ payload })).catch(() => {})
  assert.ok((await receive()).payload.equals(payload))
  session.close()
})

test('an init error keeps its type and document', async () => {
  const { session, guest } = start()
  const init = session.init(INIT)
  guest.write(frame(GUEST_FRAME.initError, { errorType: 'Runtime.HandlerNotFound' }, '{"errorMessage":"x"}'))
  assert.deepEqual(await init, {
    kind: 'error',
    errorType: 'Runtime.HandlerNotFound',
    payload: Buffer.from('{"errorMessage":"x"}'),
  })
  session.close()
})

test('log records come before the answer they were written before, whatever newlines they hold', async () => {
  const { session, guest, logs, output } = start()
  const outcome = session.invoke(invocation())
  guest.write(
    Buffer.concat([
      frame(GUEST_FRAME.output, undefined, 'printed'),
      frame(GUEST_FRAME.log, { timestamp: 7, level: 'INFO' }, 'one\ntwo'),
      frame(GUEST_FRAME.log, { timestamp: 8 }, 'three'),
      frame(GUEST_FRAME.error, { errorType: 'E' }, 'null'),
      frame(GUEST_FRAME.log, { timestamp: 9 }, 'x'.repeat(MAX_LOG_BYTES + 10)),
    ]),
  )
  assert.deepEqual(await outcome, { kind: 'error', errorType: 'E', payload: Buffer.from('null') })
  assert.deepEqual(output, ['printed'])
  assert.deepEqual(logs.slice(0, 2), [
    { timestamp: 7, level: 'INFO', message: 'one\ntwo' },
    { timestamp: 8, message: 'three' },
  ])
  assert.equal(logs[2]?.message.length, MAX_LOG_BYTES, 'the end of a very long record is cut off')
  session.close()
})

test('what is too large is reported with its size, and the next answer is heard', async () => {
  const { session, guest } = start()
  for (const type of [GUEST_FRAME.response, GUEST_FRAME.error]) {
    const outcome = session.invoke(invocation())
    guest.write(frame(type, undefined, Buffer.alloc(MAX_BYTES + 1)))
    assert.deepEqual(await outcome, { kind: 'too-large', sizeBytes: MAX_BYTES + 1 })
  }
  const outcome = session.invoke(invocation())
  guest.write(frame(GUEST_FRAME.response, undefined, Buffer.alloc(MAX_BYTES)))
  assert.equal((await outcome).kind, 'response')
  session.close()
})

test('a streamed response is put together up to the limit, and an error at its end replaces it', async () => {
  const { session, guest } = start()
  const begin = frame(GUEST_FRAME.streamStart, { contentType: 'text/plain' })
  const chunk = (text: string) => frame(GUEST_FRAME.streamChunk, undefined, text)

  const whole = session.invoke(invocation())
  guest.write(Buffer.concat([begin, chunk('one '), chunk(''), chunk('two'), frame(GUEST_FRAME.streamEnd)]))
  assert.deepEqual(await whole, { kind: 'response', payload: Buffer.from('one two') })

  const broken = session.invoke(invocation())
  guest.write(Buffer.concat([begin, chunk('one'), frame(GUEST_FRAME.streamEnd, { errorType: 'E' }, '{}')]))
  assert.deepEqual(await broken, { kind: 'error', errorType: 'E', payload: Buffer.from('{}') })

  const crashed = session.invoke(invocation())
  guest.write(Buffer.concat([begin, chunk('one'), frame(GUEST_FRAME.error, { errorType: 'E2' }, '{}')]))
  assert.deepEqual(await crashed, { kind: 'error', errorType: 'E2', payload: Buffer.from('{}') })

  const large = session.invoke(invocation())
  guest.write(
    Buffer.concat([
      begin,
      chunk('x'.repeat(60_000)),
      chunk('x'.repeat(60_000)),
      frame(GUEST_FRAME.streamEnd),
    ]),
  )
  assert.deepEqual(await large, { kind: 'too-large', sizeBytes: 120_000 })
  session.close()
})

test('a streamed response is handed on as it comes to whoever takes it, and the outcome says only how it ended', async () => {
  const { session, guest } = start()
  const begin = frame(GUEST_FRAME.streamStart, { contentType: 'text/plain' })
  const chunk = (text: string) => frame(GUEST_FRAME.streamChunk, undefined, text)

  const live = createSlowStream()
  const whole = session.invoke(invocation(), live)
  guest.write(Buffer.concat([begin, chunk('one ')]))
  await turns()
  assert.deepEqual([live.contentTypes, live.text()], [['text/plain'], 'one '])
  // A chunk in pieces is not waited for.
  const rest = chunk('two three')
  guest.write(rest.subarray(0, 12))
  await turns()
  assert.equal(live.text(), 'one two')
  guest.write(Buffer.concat([rest.subarray(12), chunk(''), frame(GUEST_FRAME.streamEnd)]))
  assert.deepEqual(await whole, { kind: 'response', payload: new Uint8Array() })
  assert.equal(live.text(), 'one two three')

  for (const end of [GUEST_FRAME.streamEnd, GUEST_FRAME.error]) {
    const failing = createSlowStream()
    const broken = session.invoke(invocation(), failing)
    guest.write(Buffer.concat([begin, chunk('one'), frame(end, { errorType: 'E' }, '{}')]))
    assert.deepEqual(await broken, { kind: 'error', errorType: 'E', payload: Buffer.from('{}') })
    assert.equal(failing.text(), 'one')
  }

  const limited = createSlowStream({ maxBytes: 5 })
  const large = session.invoke(invocation(), limited)
  guest.write(
    Buffer.concat([begin, chunk('one'), chunk('two'), chunk('three'), frame(GUEST_FRAME.streamEnd)]),
  )
  assert.deepEqual(await large, { kind: 'too-large', sizeBytes: 11, limitBytes: 5 })
  assert.equal(limited.text(), 'onetw')

  const buffered = createSlowStream()
  const answer = session.invoke(invocation(), buffered)
  guest.write(frame(GUEST_FRAME.response, undefined, '1'))
  assert.deepEqual(await answer, { kind: 'response', payload: Buffer.from('1') })
  assert.deepEqual(buffered.contentTypes, [])
  session.close()
})

test('a guest waits for whoever takes its stream, and the next invocation does not', async () => {
  const { session, guest } = start()
  const chunk = frame(GUEST_FRAME.streamChunk, undefined, Buffer.alloc(65_536))
  const slow = createSlowStream({ slow: true })
  const outcome = session.invoke(invocation(), slow)
  guest.write(frame(GUEST_FRAME.streamStart))
  let taken = 0
  const write = () => {
    if (taken < 100) guest.write(chunk, () => (taken++, write()))
    else guest.write(frame(GUEST_FRAME.streamEnd))
  }
  write()
  await turns()
  const waiting = taken
  assert.ok(waiting < 10, `${waiting} chunks were taken`)
  await turns()
  assert.equal(taken, waiting)
  slow.open()
  assert.equal((await outcome).kind, 'response')
  assert.equal(slow.receivedBytes, 100 * 65_536)

  const unread = createSlowStream({ slow: true })
  const ended = session.invoke(invocation(), unread)
  guest.write(
    Buffer.concat([
      frame(GUEST_FRAME.streamStart),
      frame(GUEST_FRAME.streamChunk, undefined, 'x'),
      frame(GUEST_FRAME.streamEnd),
    ]),
  )
  assert.equal((await ended).kind, 'response')
  const next = session.invoke(invocation())
  guest.write(frame(GUEST_FRAME.response, undefined, '2'))
  assert.equal((await next).kind, 'response')
  session.close()
})

/** Time for what is on its way to arrive. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

const PROTOCOL_BREAKS: readonly (readonly [string, Buffer])[] = [
  ['an unknown frame', frame(0x42)],
  ['a frame of the host', frame(0x01)],
  ['a frame that is too short', Buffer.from([0, 0, 0, 4, 0x81, 0, 0, 0, 0])],
  ['a header longer than its frame', Buffer.from([0, 0, 0, 6, 0x81, 0, 0, 0, 2, 1])],
  ['a header longer than any', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x84, 0x7f, 0, 0, 0])],
  ['a header that is not JSON', frame(GUEST_FRAME.ready, '{')],
  ['a header that is no object', frame(GUEST_FRAME.ready, '3')],
  ['another version of the protocol', frame(GUEST_FRAME.ready, { protocol: 2 })],
  ['being ready twice', Buffer.concat([READY, READY])],
  ['a ready frame with a megabyte', frame(GUEST_FRAME.ready, { protocol: 1 }, Buffer.alloc(1_000_000))],
  ['the end of an init that nobody asked for', frame(GUEST_FRAME.initDone)],
  ['an answer to nothing', frame(GUEST_FRAME.response)],
  ['an error of nothing', frame(GUEST_FRAME.error)],
  ['a stream of nothing', frame(GUEST_FRAME.streamStart)],
  ['a chunk of nothing', frame(GUEST_FRAME.streamChunk)],
  ['an end of nothing', frame(GUEST_FRAME.streamEnd)],
  ['a log record without a time', frame(GUEST_FRAME.log, {}, 'x')],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
]

for (const [name, bytes] of PROTOCOL_BREAKS) {
  test(`${name} closes the channel with a reason`, async () => {
    const { session, guest } = start()
    guest.write(bytes)
    await new Promise((resolve) => setImmediate(resolve))
    await assert.rejects(session.invoke(invocation()), (error) => {
      assert.ok(error instanceof ChannelClosed)
      assert.match(error.message, /^The runtime broke the protocol: /)
      return true
    })
  })
}

test('a response in the middle of a stream closes the channel', async () => {
  const { session, guest } = start()
  const outcome = session.invoke(invocation())
  guest.write(Buffer.concat([frame(GUEST_FRAME.streamStart), frame(GUEST_FRAME.response)]))
  await assert.rejects(outcome, /A response in the middle of a stream/)
})

test('whatever waits is rejected when the guest hangs up or the session is closed', async () => {
  const hungUp = start()
  const waiting = [hungUp.session.ready, hungUp.session.init(INIT), hungUp.session.invoke(invocation())]
  hungUp.guest.end()
  for (const promise of waiting) await assert.rejects(promise, ChannelClosed)

  const closed = start()
  const outcome = closed.session.invoke(invocation())
  closed.session.close()
  closed.session.close()
  await assert.rejects(outcome, ChannelClosed)
  await assert.rejects(closed.session.init(INIT), ChannelClosed)
})

test('a second invocation at once is a mistake of the caller', async () => {
  const { session } = start()
  const outcome = session.invoke(invocation())
  await assert.rejects(session.invoke(invocation()), /has an invocation already/)
  session.close()
  await assert.rejects(outcome, ChannelClosed)
})
