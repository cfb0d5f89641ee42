import assert from 'node:assert/strict'
import { duplexPair, PassThrough } from 'node:stream'
import { test } from 'node:test'

import type { GuestExit, GuestInvocation } from '#contracts/invocation.ts'
import { ChannelClosed, type GuestSession, type SessionOutcome } from '#data-plane/runtime-api/port.ts'
import type { Guest } from '#data-plane/sandbox/port.ts'
import { startGuestRun, type SettlingSession } from '#data-plane/worker/guest-run.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

import { createFakeGuest } from '../../../test/support/fake-guest.ts'
import { createSlowStream } from '../../../test/support/slow-stream.ts'

const INVOCATION: GuestInvocation = {
  requestId: 'id-1',
  payload: Buffer.from('{}'),
  deadlineMs: 3000,
  invokedFunctionArn: 'arn',
}
const EXIT: GuestExit = { code: 0, signal: null, outOfMemory: false }

/** A run of a process that ends when the test says so, with this session. */
async function startRun(openSession: () => GuestSession | SettlingSession) {
  const clock = createVirtualClock()
  const exited = Promise.withResolvers<GuestExit>()
  const [control] = duplexPair()
  const guest: Guest = {
    control,
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    exited: exited.promise,
    signal: () => exited.resolve({ ...EXIT, code: null, signal: 'SIGKILL' }),
  }
  const { sandbox } = createFakeGuest(clock, [])
  const run = await startGuestRun({
    sandbox: { ...sandbox, start: () => Promise.resolve(guest) },
    command: { argv: ['/bin/true'], env: {}, cwd: '/', control: true },
    openSession,
    onLines: () => {},
    clock,
  })
  return { run, clock, exit: () => exited.resolve(EXIT) }
}

test('run: what a process streamed before it ended counts, however slowly it is read', async () => {
  const answer = Promise.withResolvers<SessionOutcome>()
  const slow = createSlowStream({ slow: true })
  slow.write(Buffer.from('one'))
  const { run, clock, exit } = await startRun(() => ({
    init: () => Promise.resolve({ kind: 'ready' }),
    invoke: () => answer.promise,
    close() {},
  }))
  let ended = false
  const outcome = run.invoke(INVOCATION, 3000, slow).finally(() => (ended = true))
  exit()
  await clock.advance(2999)
  assert.equal(ended, false, 'it waits for the reader')
  slow.open()
  await new Promise((resolve) => setImmediate(resolve))
  slow.write(Buffer.from('two'))
  answer.resolve({ kind: 'response', payload: new Uint8Array() })
  assert.deepEqual(await outcome, { kind: 'response', payload: new Uint8Array() })
})

test('run: a reader who never reads does not hold an invocation beyond its timeout', async () => {
  const slow = createSlowStream({ slow: true })
  slow.write(Buffer.from('one'))
  const { run, clock, exit } = await startRun(() => ({
    init: () => Promise.resolve({ kind: 'ready' }),
    invoke: () => new Promise(() => {}),
    close() {},
  }))
  const outcome = run.invoke(INVOCATION, 3000, slow)
  exit()
  await clock.advance(3000)
  assert.deepEqual(await outcome, { kind: 'timeout' })
})

test('run: an answer that was cut off because the process ended is its exit', async () => {
  const { run, exit } = await startRun(() => ({
    init: () => Promise.resolve({ kind: 'ready' }),
    invoke: () =>
      Promise.resolve({
        kind: 'error',
        errorType: 'Runtime.TruncatedResponse',
        payload: new Uint8Array(),
      } as const),
    idle: () => Promise.reject(new ChannelClosed('gone')),
    close() {},
  }))
  exit()
  assert.deepEqual(await run.invoke(INVOCATION, 3000), { kind: 'exited', exit: EXIT })
})
