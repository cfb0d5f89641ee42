import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'

import { LambdaError, resourceNotFound, serviceFailure, throttled } from '#contracts/errors.ts'
import type { AsyncEvent } from '#contracts/event.ts'
import type { InvocationRequest, InvocationResult } from '#contracts/invocation.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import type { EventLease, EventQueues } from '#data-plane/events/port.ts'
import { outcomeOfError, createAsyncEventPoller } from '#data-plane/pollers/async-events.ts'
import type { AsyncOutcome, Deliveries, OutcomeTargets } from '#data-plane/destinations/port.ts'

const ok: InvocationResult = { executedVersion: '$LATEST', payload: Buffer.from('null') }
const failed: InvocationResult = {
  ...ok,
  functionError: 'Unhandled',
  payload: Buffer.from('{"errorMessage":"no"}'),
}
type Answer = InvocationResult | Error | Promise<InvocationResult>
type PollerOptions = Partial<Parameters<typeof createAsyncEventPoller>[0]>

/** One queue in memory behind the port; the real ones are tested with the poller in test/chaos. */
function memoryQueues(clock: ReturnType<typeof createVirtualClock>) {
  let nextId = 1n
  const waiting = new Map<bigint, { event: AsyncEvent; visibleAt: number }>()
  const leased = new Map<bigint, AsyncEvent>()
  let wake = () => {}
  const take = (max: number) => {
    const due = [...waiting].filter(([, { visibleAt }]) => visibleAt <= clock.now()).slice(0, max)
    return due.map(([id, { event }]): EventLease => {
      waiting.delete(id)
      leased.set(id, event)
      return { event, receipt: { queue: 0, id, epoch: 1 } }
    })
  }
  const queues: EventQueues = {
    start: async () => {},
    drain: async () => {},
    stop: async () => {},
    async enqueue(event) {
      waiting.set(nextId++, { event, visibleAt: clock.now() })
      wake()
    },
    async lease(max, signal) {
      for (;;) {
        const taken = take(max)
        if (taken.length > 0 || signal.aborted) return taken
        await new Promise<void>((resolve) => {
          wake = resolve
          signal.addEventListener('abort', () => resolve(), { once: true })
          for (const { visibleAt } of waiting.values()) clock.after(visibleAt - clock.now(), resolve)
        })
      }
    },
    mayBegin: () => true,
    owned: 1,
    async complete({ id }) {
      assert.ok(leased.delete(id), 'settled twice')
    },
    async retry({ id }, visibleAt, event) {
      assert.ok(leased.delete(id), 'settled twice')
      waiting.set(id, { event, visibleAt })
      wake()
    },
    depth: () => waiting.size + leased.size,
  }
  return queues
}

async function world(test: TestContext, answers: readonly (() => Answer)[], options: PollerOptions = {}) {
  const clock = createVirtualClock()
  const begun = clock.now()
  const queues = memoryQueues(clock)
  const calls: { readonly afterMs: number; readonly request: InvocationRequest }[] = []
  const told: { readonly outcome: AsyncOutcome; readonly targets: OutcomeTargets }[] = []
  const lines: string[] = []
  const counted: string[] = []
  const note = (message: string) => void lines.push(message)
  const poller = createAsyncEventPoller({
    queues,
    clock,
    random: { next: () => 0, uuid: () => '', hex: () => '' },
    logger: { debug: note, info: note, warn: note, error: note },
    metrics: { count: (name) => void counted.push(name), gauge: () => {}, observe: () => {} },
    concurrency: 4,
    frontend: {
      async invoke(request) {
        const answer = (answers[calls.length] ?? answers.at(-1) ?? (() => ok))()
        calls.push({ afterMs: clock.now() - begun, request })
        if (answer instanceof Error) throw answer
        return answer
      },
    },
    deliveries: {
      async deliver(outcome, targets) {
        told.push({ outcome, targets })
      },
    },
    ...options,
  })
  await poller.start()
  test.after(() => poller.stop())
  const send = (over: Partial<AsyncEvent> = {}) =>
    queues.enqueue({
      target: { account: '111122223333', region: 'eu-west-1', name: 'f' },
      qualifier: 'live',
      requestId: 'request-1',
      payload: Buffer.from('{}'),
      clientContext: '{"c":1}',
      traceId: 'Root=1',
      acceptedAt: clock.now(),
      functionErrors: 0,
      attempts: 0,
      ...over,
    })
  const times = () => calls.map(({ afterMs }) => afterMs)
  /** Those that were given up. */
  const exhausted = () =>
    told.map(({ outcome }) => outcome).filter(({ condition }) => condition !== 'Success')
  return { clock, queues, poller, calls, times, told, exhausted, lines, counted, send }
}

it('runs an event as it was sent and deletes it', async (test) => {
  const { clock, queues, calls, send } = await world(test, [() => ok])
  await send()
  await clock.advance(0)
  const [call] = calls
  assert.ok(call)
  const { signal, ...request } = call.request
  assert.equal(signal?.aborted, false)
  assert.deepEqual(request, {
    id: { account: '111122223333', region: 'eu-west-1', name: 'f' },
    qualifier: 'live',
    requestId: 'request-1',
    payload: Buffer.from('{}'),
    clientContext: '{"c":1}',
    traceId: 'Root=1',
    logType: 'None',
  })
  assert.equal(queues.depth(), 0)
})

it('a failing function is retried after one minute and after two more, with the same request id', async (test) => {
  const { clock, queues, calls, times, exhausted, send } = await world(test, [() => failed])
  await send()
  await clock.advance(3_600_000)
  assert.deepEqual(times(), [0, 60_000, 180_000])
  assert.deepEqual(new Set(calls.map(({ request }) => request.requestId)), new Set(['request-1']))
  assert.equal(queues.depth(), 0)
  assert.deepEqual(
    exhausted().map(({ condition, event, answer }) => [condition, event.attempts, String(answer?.payload)]),
    [['RetriesExhausted', 3, '{"errorMessage":"no"}']],
  )
})

it('stops retrying once the function succeeds', async (test) => {
  const { clock, times, exhausted, send } = await world(test, [() => failed, () => ok])
  await send()
  await clock.advance(3_600_000)
  assert.deepEqual(times(), [0, 60_000])
  assert.deepEqual(exhausted(), [])
})

it('throttles and platform errors come back after 1, 2, 4 ... seconds', async (test) => {
  const busy = () => throttled('ConcurrentInvocationLimitExceeded')
  const { clock, times, send } = await world(test, [busy, () => serviceFailure('broken'), busy, () => ok])
  await send()
  await clock.advance(60_000)
  assert.deepEqual(times(), [0, 1000, 3000, 7000])
})

it('a throttled event is tried until its age limit and then given up', async (test) => {
  const { clock, times, exhausted, send } = await world(test, [() => throttled('CallerRateLimitExceeded')], {
    lookUpSettings: () => ({ maximumEventAgeSeconds: 60 }),
  })
  await send()
  await clock.advance(120_000)
  assert.deepEqual(times(), [0, 1000, 3000, 7000, 15_000, 31_000])
  assert.deepEqual(
    exhausted().map(({ condition, answer }) => [condition, answer]),
    [['EventAgeExceeded', { statusCode: 429, message: 'Rate Exceeded.' }]],
  )
})

it("the function's own number of retries counts", async (test) => {
  const { clock, times, exhausted, send } = await world(test, [() => failed], {
    lookUpSettings: () => ({ maximumRetryAttempts: 0 }),
  })
  await send()
  await clock.advance(600_000)
  assert.deepEqual(times(), [0])
  assert.equal(exhausted().length, 1)
})

it('with a reserved concurrency of zero nothing is tried', async (test) => {
  const { clock, queues, times, exhausted, send } = await world(test, [() => ok], {
    lookUpSettings: async () => ({ reservedConcurrency: 0 }),
  })
  await send()
  await clock.advance(1000)
  assert.deepEqual(times(), [])
  assert.deepEqual(
    exhausted().map(({ condition, answer }) => [condition, answer]),
    [['ZeroReservedConcurrency', undefined]],
  )
  assert.equal(queues.depth(), 0)
})

it('an event whose function is gone is dropped with a line in the log', async (test) => {
  const { clock, queues, exhausted, lines, counted, send } = await world(test, [
    () => resourceNotFound('gone'),
  ])
  await send()
  await clock.advance(1000)
  assert.equal(queues.depth(), 0)
  assert.deepEqual(exhausted(), [])
  assert.match(lines.join(), /dropped/)
  assert.ok(counted.includes('lambent_async_events_dropped_total'))
})

it('settings that cannot be read delay the event', async (test) => {
  let broken = true
  const { clock, times, send } = await world(test, [() => ok], {
    lookUpSettings() {
      if (broken) throw new Error('the store is closed')
      return {}
    },
  })
  await send()
  await clock.advance(500)
  broken = false
  await clock.advance(600)
  assert.deepEqual(times(), [1000])
})

it('what becomes of an event is told before it leaves its queue, with the targets as they are then', async (test) => {
  const delivered = Promise.withResolvers<void>()
  const targets: OutcomeTargets[] = []
  let onSuccessArn = 'before'
  const deliveries: Deliveries = {
    async deliver(_outcome, given) {
      targets.push(given)
      await delivered.promise
    },
  }
  const { clock, queues, send } = await world(test, [() => ok], {
    lookUpSettings: () => ({ onSuccessArn }),
    frontend: {
      async invoke() {
        onSuccessArn = 'after'
        return ok
      },
    },
    deliveries,
  })
  await send()
  await clock.advance(1000)
  assert.deepEqual(targets, [{ onSuccessArn: 'after' }])
  assert.equal(queues.depth(), 1)
  delivered.resolve()
  await clock.advance(0)
  assert.equal(queues.depth(), 0)
})

it('an event whose outcome nobody could be told before the end stays in its queue', async (test) => {
  const { clock, queues, poller, send } = await world(test, [() => ok], {
    deliveries: {
      deliver: (_outcome, _targets, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        }),
    },
  })
  await send()
  await clock.advance(1000)
  await poller.stop()
  await clock.advance(1000)
  assert.equal(queues.depth(), 1)
})

it('settings that change while an event waits count for what comes next', async (test) => {
  let maximumRetryAttempts = 2
  const { clock, times, exhausted, send } = await world(test, [() => failed], {
    lookUpSettings: () => ({ maximumRetryAttempts }),
  })
  await send()
  await clock.advance(30_000)
  maximumRetryAttempts = 0
  await clock.advance(3_600_000)
  assert.deepEqual(times(), [0, 60_000])
  assert.deepEqual(
    exhausted().map(({ condition, event }) => [condition, event.functionErrors]),
    [['RetriesExhausted', 2]],
  )
})

it('an event that goes round in circles is given up for that reason', async (test) => {
  const recursion = () => new LambdaError('RecursiveInvocationException', 'a loop', { status: 400 })
  const { clock, exhausted, counted, send } = await world(test, [recursion])
  await send()
  await clock.advance(0)
  assert.deepEqual(
    exhausted().map(({ condition, answer }) => [condition, answer?.statusCode]),
    [['RecursiveInvocation', 400]],
  )
  assert.ok(counted.includes('lambent_recursive_invocations_dropped_total'))
})

it('never runs more than its concurrency at a time', async (test) => {
  const open: (() => void)[] = []
  const hang = () => new Promise<InvocationResult>((resolve) => open.push(() => resolve(ok)))
  const { clock, queues, calls, send } = await world(test, [hang])
  for (let n = 0; n < 10; n++) await send({ requestId: `r${n}` })
  await clock.advance(0)
  assert.equal(calls.length, 4)
  open.shift()?.()
  await clock.advance(0)
  assert.equal(calls.length, 5)
  for (let n = 0; n < 10; n++) {
    for (const finish of open.splice(0)) finish()
    await clock.advance(0)
  }
  assert.equal(queues.depth(), 0)
})

it('drain finishes what runs and takes nothing new', async (test) => {
  const { promise, resolve } = Promise.withResolvers<InvocationResult>()
  const { clock, queues, poller, calls, send } = await world(test, [() => promise])
  await send()
  await clock.advance(0)
  let drained = false
  void poller.drain(60_000).then(() => (drained = true))
  await clock.advance(1000)
  await send({ requestId: 'too late' })
  await clock.advance(1000)
  assert.equal(drained, false)
  resolve(ok)
  await clock.advance(0)
  assert.equal(drained, true)
  assert.equal(calls.length, 1)
  assert.equal(queues.depth(), 1)
})

it('stop leaves what it interrupts in the queue, with its counters as they were', async (test) => {
  const { clock, queues, poller, calls, send } = await world(test, [
    () => new Promise<InvocationResult>(() => {}),
  ])
  await send()
  await clock.advance(0)
  calls[0]?.request.signal?.throwIfAborted()
  await poller.stop()
  await poller.stop()
  assert.equal(calls[0]?.request.signal?.aborted, true)
  await clock.advance(600_000)
  assert.equal(queues.depth(), 1)
})

it('sorts the errors of the front end', () => {
  const rows: readonly (readonly [unknown, string])[] = [
    [throttled('ConcurrentInvocationLimitExceeded'), 'throttled'],
    [new LambdaError('TooManyRequestsException', ''), 'throttled'],
    [resourceNotFound(''), 'not-found'],
    [serviceFailure(''), 'platform-error'],
    [new LambdaError('EC2ThrottledException', '', { status: 502 }), 'platform-error'],
    [new LambdaError('ResourceConflictException', '', { status: 409 }), 'platform-error'],
    [new LambdaError('InvalidRequestContentException', '', { status: 400 }), 'refused'],
    [new LambdaError('RequestTooLargeException', '', { status: 413 }), 'refused'],
    [new LambdaError('RecursiveInvocationException', '', { status: 400 }), 'recursive'],
    [new TypeError('a bug'), 'platform-error'],
  ]
  for (const [error, expected] of rows) assert.equal(outcomeOfError(error), expected)
})
