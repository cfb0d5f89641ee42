import assert from 'node:assert/strict'
import { test } from 'node:test'

import { findRuntime } from '#contracts/runtime.ts'
import { createEnvironmentLifecycle } from '#data-plane/worker/environment-lifecycle.ts'
import { createEnvironment } from '#data-plane/worker/environment.ts'
import { startGuestRun } from '#data-plane/worker/guest-run.ts'
import { createEnvironmentLog } from '#data-plane/worker/log/environment-log.ts'
import type { InitializationType } from '#data-plane/worker/port.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

import { createFakeGuest, type GuestAction } from '../../../test/support/fake-guest.ts'
import { aVersion } from '../../../test/support/function-version.ts'

const READY: readonly GuestAction[] = [{ does: 'take', ms: 100 }, { does: 'ready' }]
const ANSWER: readonly GuestAction[] = [{ does: 'next' }, { does: 'answer', text: '"ok"' }]
const NEVER: readonly GuestAction[] = [{ does: 'next' }, { does: 'take', ms: 10_000_000 }]

const silent = { debug() {}, info() {}, warn() {}, error() {} }

function createRig(runs: readonly (readonly GuestAction[])[], type: InitializationType = 'on-demand') {
  const clock = createVirtualClock()
  const fake = createFakeGuest(clock, runs)
  const lines: string[] = []
  const version = aVersion({ runtime: 'nodejs24.x' })
  const log = createEnvironmentLog({
    version,
    runtime: findRuntime('nodejs24.x'),
    initializationType: type,
    stream: 's',
    sink: { append: ({ events }) => void lines.push(...events.map(({ message }) => message)) },
    clock,
  })
  const environment = createEnvironment({
    id: 'e',
    version,
    type,
    sandbox: fake.sandbox,
    lifecycle: createEnvironmentLifecycle(),
    log,
    guestInit: { handler: 'index.handler', env: {}, taskRoot: '/var/task' },
    startRun: () =>
      startGuestRun({
        sandbox: fake.sandbox,
        command: { argv: ['/bin/true'], env: {}, cwd: '/', control: false },
        openSession: fake.openSession,
        onLines: (text) => log.lines(text),
        clock,
      }),
    tearDown: () => fake.sandbox.destroy(),
    timer: { phases: [], from: 'boot', ended() {} },
    clock,
    logger: silent,
  })
  /** Lets `ms` of virtual time pass, then gives what the promise has become. */
  const within = async <T>(promise: Promise<T>, ms: number): Promise<T> => {
    promise.catch(() => {})
    await clock.advance(ms)
    return Promise.race([
      promise,
      new Promise<never>((_, reject) => setImmediate(() => reject(new Error('pending')))),
    ])
  }
  const invoke = (ms: number) =>
    within(
      environment.invoke(
        {
          requestId: 'id-1',
          payload: Buffer.from('{}'),
          deadlineMs: clock.now() + 3000,
          invokedFunctionArn: 'arn',
        },
        { logType: 'Tail' },
      ),
      ms,
    )
  const text = ({ payload }: { payload: Uint8Array }) => Buffer.from(payload).toString()
  return { clock, environment, lines, calls: fake.calls, within, invoke, text }
}

test('environment: runs init, gets its CPU share, is frozen while idle and thawed for an invocation', async () => {
  const { environment, calls, within, invoke, lines, text } = createRig([[...READY, ...ANSWER]])
  assert.equal(environment.state, 'booting')
  await within(environment.initialise(), 100)
  assert.equal(environment.state, 'idle')
  const answer = await invoke(0)
  assert.equal(text(answer), '"ok"')
  assert.deepEqual(calls, ['start', 'limit-cpu', 'freeze', 'thaw', 'freeze'])
  assert.deepEqual(lines.slice(1), [
    'START RequestId: id-1 Version: $LATEST',
    'END RequestId: id-1',
    'REPORT RequestId: id-1\tDuration: 0.00 ms\tBilled Duration: 100 ms\tMemory Size: 128 MB\tMax Memory Used: 42 MB\tInit Duration: 100.00 ms\t',
  ])
})

test('environment: an init may take ten seconds on demand, then the first invocation runs it again', async () => {
  const { environment, within, invoke, lines, text } = createRig([
    [{ does: 'take', ms: 11_000 }, { does: 'ready' }],
    [...READY, ...ANSWER],
  ])
  const started = environment.initialise()
  await assert.rejects(within(started, 9_999), { message: 'pending' })
  await within(started, 1)
  assert.equal(environment.state, 'idle')
  assert.equal(lines.at(-1), 'INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout')
  assert.equal(text(await invoke(100)), '"ok"')
  // The init that AWS calls suppressed counts as part of the invocation, and is billed as such only.
  assert.equal(
    lines.at(-1),
    'REPORT RequestId: id-1\tDuration: 100.00 ms\tBilled Duration: 100 ms\tMemory Size: 128 MB\tMax Memory Used: 42 MB\t',
  )
})

test('environment: a repeated init has the whole machine too, and the invocation after it its share', async () => {
  const { environment, calls, within, invoke } = createRig([
    [{ does: 'exit', code: 1 }],
    [...READY, ...ANSWER],
  ])
  await within(environment.initialise(), 0)
  await invoke(100)
  assert.deepEqual(
    calls.filter((call) => call === 'start' || call === 'limit-cpu'),
    ['start', 'limit-cpu', 'start', 'limit-cpu'],
  )
})

test('environment: the init of provisioned concurrency is shown with the first invocation, and not billed there', async () => {
  const { environment, within, invoke, lines } = createRig(
    [[...READY, ...ANSWER, ...ANSWER]],
    'provisioned-concurrency',
  )
  assert.equal(environment.initialised, false)
  await within(environment.initialise(), 100)
  assert.equal(environment.initialised, true)
  await invoke(0)
  await invoke(0)
  const reports = lines.filter((line) => line.startsWith('REPORT'))
  assert.match(reports[0] ?? '', /\tBilled Duration: 0 ms\t.*\tInit Duration: 100\.00 ms\t/)
  assert.doesNotMatch(reports[1] ?? '', /Init Duration/)
})

test('environment: an init for provisioned concurrency may take 130 seconds', async () => {
  const { environment, within } = createRig(
    [[{ does: 'take', ms: 129_999 }, { does: 'ready' }]],
    'provisioned-concurrency',
  )
  await within(environment.initialise(), 129_999)
  assert.equal(environment.state, 'idle')
})

test('environment: the repeated init and the invocation share the timeout of the function', async () => {
  const { environment, within, invoke, lines, text } = createRig([
    [{ does: 'exit', code: 1 }],
    [{ does: 'take', ms: 2000 }, { does: 'ready' }, ...NEVER],
    [{ does: 'take', ms: 20_000 }],
    [...READY, ...ANSWER],
  ])
  await within(environment.initialise(), 0)
  const document =
    '{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: id-1 Error: Task timed out after 3.00 seconds"}'
  assert.equal(text(await invoke(3000)), document)
  assert.ok(!lines.some((line) => line.includes('Phase: invoke')))
  assert.equal(text(await invoke(3000)), document)
  assert.ok(lines.includes('INIT_REPORT Init Duration: 3000.00 ms\tPhase: invoke\tStatus: timeout'))
  assert.equal(text(await invoke(100)), '"ok"')
})

test('environment: a timeout fires at the function’s timeout, not before', async () => {
  const { environment, within, invoke, calls, clock } = createRig([[...READY, ...NEVER]])
  await within(environment.initialise(), 100)
  const pending = invoke(2999)
  await assert.rejects(pending, { message: 'pending' })
  assert.equal(environment.state, 'busy')
  await clock.advance(1)
  assert.equal(environment.state, 'idle')
  assert.ok(calls.includes('kill'))
})

test('environment: an answer that was on its way when the process ended counts', async () => {
  const { environment, within, invoke, text } = createRig([
    [...READY, { does: 'next' }, { does: 'answer', text: '1' }, { does: 'exit', code: 0 }],
    [...READY, ...ANSWER],
  ])
  await within(environment.initialise(), 100)
  const first = await invoke(0)
  assert.equal(text(first), '1')
  assert.equal(first.functionError, undefined)
  assert.equal(text(await invoke(100)), '"ok"')
})

test('environment: a process that hangs up and lives on is killed', async () => {
  const { environment, within, invoke, text, calls } = createRig([
    [...READY, { does: 'next' }, { does: 'hang-up' }, { does: 'take', ms: 10_000_000 }],
  ])
  await within(environment.initialise(), 100)
  const answer = await invoke(500)
  assert.match(text(answer), /Runtime exited without providing a reason/)
  assert.ok(calls.includes('kill'))
  assert.equal(environment.state, 'idle')
})

test('environment: out of memory is an exit error in the document and OutOfMemory in REPORT', async () => {
  const { environment, within, invoke, text, lines } = createRig([
    [
      ...READY,
      { does: 'next' },
      { does: 'print', text: 'half a line' },
      { does: 'exit', code: 137, outOfMemory: true },
    ],
  ])
  await within(environment.initialise(), 100)
  assert.equal(
    text(await invoke(0)),
    '{"errorType":"Runtime.ExitError","errorMessage":"RequestId: id-1 Error: Runtime exited with error: signal: killed"}',
  )
  assert.deepEqual(lines.slice(2, 4), [
    'half a line',
    'RequestId: id-1 Error: Runtime exited with error: signal: killed\nRuntime.ExitError',
  ])
  assert.match(
    lines.at(-1) ?? '',
    /\tInit Duration: 100\.00 ms\tStatus: error\tError Type: Runtime\.OutOfMemory$/,
  )
})

test('environment: a process that ends while it is idle is replaced before the next invocation', async () => {
  const { environment, within, invoke, text, clock, calls } = createRig([
    [...READY, { does: 'take', ms: 50 }, { does: 'exit', code: 1 }],
    [...READY, ...ANSWER],
  ])
  await within(environment.initialise(), 100)
  await clock.advance(60)
  assert.equal(environment.state, 'idle')
  assert.equal(text(await invoke(100)), '"ok"')
  assert.equal(calls.filter((call) => call === 'start').length, 2)
})

test('environment: a sandbox that cannot start the process is the platform’s fault and ends it', async () => {
  const { environment, within, invoke, calls } = createRig([[...READY, ...ANSWER, { does: 'exit', code: 0 }]])
  await within(environment.initialise(), 100)
  await invoke(0)
  await assert.rejects(invoke(0), { code: 'ServiceException', status: 500 })
  await environment.gone
  assert.equal(environment.state, 'gone')
  assert.equal(calls.at(-1), 'destroy')
})

test('environment: takes one invocation at a time and none when it is gone', async () => {
  const { environment, within, invoke } = createRig([[...READY, ...NEVER]])
  await within(environment.initialise(), 100)
  const first = invoke(1)
  await assert.rejects(first, { message: 'pending' })
  await assert.rejects(invoke(0), TypeError)
  await environment.stop()
  await environment.stop()
  await assert.rejects(invoke(0), { code: 'ServiceException' })
})

test('environment: a crash in every run costs one start per invocation', async () => {
  const crash: readonly GuestAction[] = [...READY, { does: 'next' }, { does: 'exit', code: 3 }]
  const { environment, within, invoke, text, calls, clock } = createRig([crash, crash, crash])
  await within(environment.initialise(), 100)
  for (let time = 0; time < 3; time++) assert.match(text(await invoke(100)), /exit status 3/)
  await clock.advance(60_000)
  assert.equal(calls.filter((call) => call === 'start').length, 3)
})
