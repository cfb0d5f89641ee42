/** The engine over a real store, in virtual time, with a guest that is a list of answers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseDurableExecutionArn, type OperationUpdate } from '#contracts/durable.ts'
import { LambdaError, throttled } from '#contracts/errors.ts'
import { functionKey } from '#contracts/keys.ts'
import type { InvocationRequest, InvocationResult } from '#contracts/invocation.ts'
import { createEngine } from '#data-plane/durable/create-engine.ts'
import { createDurableFrontend } from '#data-plane/durable/durable-frontend.ts'
import { createDurableOperations } from '#data-plane/durable/operations.ts'
import { seededRandom } from '#kernel/random.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import type { RequestContext } from '#wire/service.ts'

import { createTestKeys } from '../../../test/support/customer-keys.ts'
import { aVersion, ID } from '../../../test/support/function-version.ts'

const DAY_MS = 86_400_000
const CONTEXT = { account: ID.account, region: ID.region } as RequestContext
const silent = { debug() {}, info() {}, warn() {}, error() {} }
const DURABLE = aVersion({ version: '7', durable: { executionTimeoutSeconds: 600, retentionDays: 1 } })

interface Event {
  readonly DurableExecutionArn: string
  readonly CheckpointToken: string
  readonly InitialExecutionState: { readonly Operations: readonly Shown[]; readonly NextMarker: string }
  readonly UpdatedOperationIds: readonly string[]
}
interface Shown {
  readonly Id: string
  readonly Type: string
  readonly Status: string
}
interface Shape {
  readonly CheckpointToken?: string
  readonly NewExecutionState: { readonly Operations: readonly Shown[] }
}
type Guest = (event: Event, request: InvocationRequest) => Promise<object | LambdaError | Error>

/** Answers one call after the other, the last one for ever. */
function rig(
  guests: readonly Guest[],
  store = createMemoryStore({ clock: createVirtualClock() }),
  clock = createVirtualClock(),
  cluster?: Parameters<typeof createEngine>[0]['cluster'],
) {
  const random = seededRandom(clock.now())
  const events: Event[] = []
  const invoke = async (request: InvocationRequest): Promise<InvocationResult> => {
    const event = JSON.parse(Buffer.from(request.payload).toString()) as Event
    events.push(event)
    const guest = guests[Math.min(events.length, guests.length) - 1]
    const answer = await guest?.(event, request)
    if (answer instanceof LambdaError) throw answer
    const functionError = answer instanceof Error ? ({ functionError: 'Unhandled' } as const) : {}
    const body = answer instanceof Error ? { errorMessage: answer.message, errorType: 'Error' } : answer
    return { executedVersion: '7', payload: Buffer.from(JSON.stringify(body)), ...functionError }
  }
  const resolve = () => DURABLE
  const engine = createEngine({
    keys: createTestKeys().keys,
    meta: store.meta,
    frontend: { invoke },
    resolve,
    clock,
    random,
    logger: silent,
    concurrency: 4,
    ...(cluster && { cluster }),
  })
  const operations = createDurableOperations({ engine, meta: store.meta, random }) as unknown as Record<
    string,
    (input: object, context: RequestContext) => Promise<Record<string, unknown>>
  >
  const call = async <Answer = Record<string, unknown>>(name: string, input: object): Promise<Answer> =>
    (await operations[name]?.(input, CONTEXT)) as Answer
  const frontend = createDurableFrontend({
    frontend: {
      invoke,
      enqueue: async () => {},
      dryRun: async () => {},
      invokeStreaming: () => Promise.reject(new Error('not here')),
    },
    engine,
    resolve,
  })
  const request = (more: Partial<InvocationRequest> = {}): InvocationRequest => ({
    id: ID,
    qualifier: '7',
    requestId: 'r',
    payload: Buffer.from('{"a":1}'),
    logType: 'None',
    ...more,
  })
  const start = async (more: Partial<InvocationRequest> = {}) => {
    const started = await frontend.enqueue(request(more))
    await clock.advance(0)
    return started?.durableExecutionArn ?? ''
  }
  const status = async (DurableExecutionArn: string) =>
    (await call('GetDurableExecution', { DurableExecutionArn }))['Status']
  const checkpoint = (event: Event, Updates: readonly OperationUpdate[], more: object = {}) =>
    call<Shape>('CheckpointDurableExecution', { ...event, Updates, ...more })
  return { engine, store, clock, events, call, start, status, checkpoint, frontend, request }
}

const PENDING = { Status: 'PENDING' }
const SUCCEEDED = { Status: 'SUCCEEDED', Result: '"done"' }
const wait = (Id: string, WaitSeconds: number): OperationUpdate => ({
  Id,
  Type: 'WAIT',
  Action: 'START',
  WaitOptions: { WaitSeconds },
})

test('durable engine: suspends for a wait and invokes again when it is over, not before', async () => {
  const r = rig([
    async (event) => (await r.checkpoint(event, [wait('w', 60)]), PENDING),
    async () => SUCCEEDED,
  ])
  await r.engine.start()
  const arn = await r.start()
  await r.clock.advance(59_999)
  assert.deepEqual([r.events.length, await r.status(arn)], [1, 'RUNNING'])
  await r.clock.advance(1)
  assert.deepEqual([r.events.length, await r.status(arn)], [2, 'SUCCEEDED'])
  assert.deepEqual(
    r.events[1]?.InitialExecutionState.Operations.map(({ Id, Status }) => [Id === 'w' ? Id : 'root', Status]),
    [
      ['root', 'STARTED'],
      ['w', 'SUCCEEDED'],
    ],
  )
  assert.deepEqual(r.events[1]?.UpdatedOperationIds, ['w'])
  assert.equal(r.engine.sessions.size, 0, 'nothing of it stays in memory')
  await r.engine.stop()
})

test('durable engine: a token counts once, and only while its invocation runs', async () => {
  let first: Event | undefined
  const r = rig([
    async (event) => {
      first = event
      const answer = await r.checkpoint(event, [wait('w', 1)], { ClientToken: 'c' })
      assert.deepEqual(
        answer.NewExecutionState.Operations.map(({ Id }) => Id),
        ['w'],
      )
      // The same request again has the same answer, and nothing happens twice.
      assert.deepEqual(await r.checkpoint(event, [wait('w', 1)], { ClientToken: 'c' }), answer)
      const invalid = { code: 'InvalidParameterValueException', message: 'Invalid checkpoint token' }
      await assert.rejects(r.checkpoint(event, [wait('x', 1)]), invalid)
      await assert.rejects(r.call('GetDurableExecutionState', event), invalid)
      const state = await r.call('GetDurableExecutionState', {
        ...event,
        CheckpointToken: answer.CheckpointToken,
        MaxItems: 1,
      })
      assert.equal((state['Operations'] as unknown[]).length, 1)
      const rest = await r.call('GetDurableExecutionState', {
        ...event,
        CheckpointToken: answer.CheckpointToken,
        Marker: state['NextMarker'],
      })
      assert.deepEqual([(rest['Operations'] as Shown[])[0]?.Id, rest['NextMarker']], ['w', ''])
      first = { ...event, CheckpointToken: answer.CheckpointToken ?? '' }
      return PENDING
    },
    async () => SUCCEEDED,
  ])
  const arn = await r.start()
  assert.ok(first)
  await assert.rejects(r.checkpoint(first, [wait('late', 1)]), { message: 'Invalid checkpoint token' })
  await assert.rejects(r.checkpoint({ ...first, DurableExecutionArn: arn.replace(/.$/, 'x') }, []), {
    message: 'Invalid checkpoint token',
  })
  await r.engine.stop()
})

test('durable engine: crashes are retried with growing delays, refusals without being counted', async () => {
  const answers = [
    throttled('ConcurrentInvocationLimitExceeded'),
    new Error('crash'),
    new Error('crash'),
    new LambdaError('ResourceConflictException', 'updating', { status: 409 }),
    SUCCEEDED,
  ]
  const r = rig(answers.map((answer) => async () => answer))
  const arn = await r.start()
  const seen: number[] = [r.events.length]
  for (const ms of [1000, 1000, 2000, 1000]) {
    await r.clock.advance(ms)
    seen.push(r.events.length)
  }
  assert.deepEqual([seen, await r.status(arn)], [[1, 2, 3, 4, 5], 'SUCCEEDED'])
  await r.engine.stop()
})

test('durable engine: an invocation that was lost with its process is made again after the start', async () => {
  const never = Promise.withResolvers<object>()
  const before = rig([
    async (event) => {
      await before.checkpoint(event, [{ Id: 's', Type: 'STEP', Action: 'SUCCEED', Payload: '1' }])
      return never.promise
    },
  ])
  const arn = await before.start()
  // The process ends here: nothing of it is told to stop.
  const after = rig([async () => SUCCEEDED], before.store, before.clock)
  await after.engine.start()
  await before.clock.advance(0)
  assert.deepEqual([after.events.length, await after.status(arn)], [1, 'SUCCEEDED'])
  assert.equal(after.events[0]?.InitialExecutionState.Operations[1]?.Status, 'SUCCEEDED')
  assert.notEqual(after.events[0]?.CheckpointToken, before.events[0]?.CheckpointToken)
  await after.engine.stop()
})

test('durable engine: what fell due while no process ran is taken up', async () => {
  const before = rig([async (event) => (await before.checkpoint(event, [wait('w', 60)]), PENDING)])
  const arn = await before.start()
  await before.engine.stop()
  await before.clock.advance(120_000)
  const after = rig([async () => SUCCEEDED], before.store, before.clock)
  await after.engine.start()
  await before.clock.advance(0)
  assert.deepEqual([after.events.length, await after.status(arn)], [1, 'SUCCEEDED'])
  await after.engine.stop()
})

test('durable engine: a child execution is stored with the checkpoint that starts it, and its end resumes the parent', async () => {
  const r = rig([
    async (event) => {
      const update: OperationUpdate = {
        Id: 'i',
        Type: 'CHAINED_INVOKE',
        Action: 'START',
        Payload: '{"child":1}',
        ChainedInvokeOptions: { FunctionName: 'hello:7' },
      }
      await r.checkpoint(event, [update])
      return PENDING
    },
    async () => SUCCEEDED,
  ])
  const arn = await r.start()
  await r.clock.advance(0)
  assert.deepEqual([r.events.length, await r.status(arn)], [3, 'SUCCEEDED'])
  assert.notEqual(r.events[1]?.DurableExecutionArn, arn)
  assert.equal(r.events[2]?.InitialExecutionState.Operations[1]?.Status, 'SUCCEEDED')
  await r.engine.stop()
})

test('durable engine: the execution times out in the middle of an invocation, whose answer counts no more', async () => {
  const slow = Promise.withResolvers<object>()
  const r = rig([() => slow.promise])
  const arn = await r.start()
  await r.clock.advance(600_000)
  assert.equal(await r.status(arn), 'TIMED_OUT')
  slow.resolve(SUCCEEDED)
  await r.clock.advance(0)
  assert.equal(await r.status(arn), 'TIMED_OUT')
  await r.engine.stop()
})

test('durable engine: everything of an execution goes when its retention ends, and its name is free again', async () => {
  const r = rig([async () => SUCCEEDED])
  await r.engine.start()
  const arn = await r.start({ durableExecutionName: 'n' })
  assert.equal(await r.start({ durableExecutionName: 'n' }), arn)
  await assert.rejects(r.start({ durableExecutionName: 'n', payload: Buffer.from('{}') }), {
    code: 'DurableExecutionAlreadyStartedException',
    message: `Execution already started: ${arn}`,
  })
  await r.clock.advance(DAY_MS - 1000)
  assert.equal(await r.status(arn), 'SUCCEEDED')
  await r.clock.advance(3_600_000)
  await assert.rejects(r.status(arn), { code: 'ResourceNotFoundException' })
  assert.deepEqual(await r.store.meta.list('durable', '', 10), [])
  assert.notEqual(await r.start({ durableExecutionName: 'n', payload: Buffer.from('{}') }), arn)
  await r.engine.stop()
})

test('durable engine: many starts with one name at once are one execution', async () => {
  const r = rig([async () => SUCCEEDED])
  const arns = await Promise.all(Array.from({ length: 8 }, () => r.start({ durableExecutionName: 'n' })))
  assert.equal(new Set(arns).size, 1)
  assert.equal(r.events.length, 1)
  await r.engine.stop()
})

test('durable engine: a caller that hangs up leaves, the execution goes on', async () => {
  const slow = Promise.withResolvers<object>()
  const r = rig([() => slow.promise])
  const leaving = new AbortController()
  const answer = r.frontend.invoke(r.request({ signal: leaving.signal, durableExecutionName: 'n' }))
  const left = assert.rejects(answer, { message: 'gone' })
  await r.clock.advance(0)
  leaving.abort(new Error('gone'))
  await left
  slow.resolve(SUCCEEDED)
  const again = await r.frontend.invoke(r.request({ durableExecutionName: 'n' }))
  assert.equal(Buffer.from(again.payload).toString(), '"done"')
  await r.engine.stop()
})

test('durable engine: lists newest first, oldest first when reversed, in pages, by name and status', async () => {
  const r = rig([async () => SUCCEEDED])
  await r.store.meta.txn([{ key: functionKey(ID), doc: {} }])
  for (let n = 0; n < 5; n++) {
    await r.start({ durableExecutionName: `n${n}` })
    await r.clock.advance(10)
  }
  const names = async (input: object) => {
    const all: string[][] = []
    let Marker: unknown
    do {
      const page = await r.call('ListDurableExecutionsByFunction', {
        FunctionName: ID.name,
        ...input,
        Marker,
      })
      all.push(
        (page['DurableExecutions'] as { DurableExecutionName: string }[]).map(
          (one) => one.DurableExecutionName,
        ),
      )
      Marker = page['NextMarker']
    } while (Marker !== undefined)
    return all
  }
  assert.deepEqual(await names({ MaxItems: 2 }), [['n4', 'n3'], ['n2', 'n1'], ['n0']])
  assert.deepEqual(await names({ MaxItems: 3, ReverseOrder: true }), [
    ['n0', 'n1', 'n2'],
    ['n3', 'n4'],
  ])
  assert.deepEqual(await names({ DurableExecutionName: 'n2' }), [['n2']])
  assert.deepEqual(await names({ Statuses: ['RUNNING'] }), [[]])
  assert.deepEqual(await names({ Qualifier: '8' }), [[]])
  await assert.rejects(names({ Statuses: ['RUNNING', 'FAILED'] }), { code: 'InvalidParameterValueException' })
  await assert.rejects(names({ FunctionName: 'nobody' }), { code: 'ResourceNotFoundException' })
  await r.engine.stop()
})

test('durable engine: a state that is larger than an event is fetched by the function', async () => {
  const big = 'x'.repeat(3 * 1024 * 1024)
  const r = rig([
    async (event) => {
      const step = (Id: string): OperationUpdate => ({ Id, Type: 'STEP', Action: 'SUCCEED', Payload: big })
      await r.checkpoint(event, [step('a'), step('b'), wait('w', 1)])
      return PENDING
    },
    async (event) => {
      const { Operations, NextMarker } = event.InitialExecutionState
      assert.equal(Operations.length, 2)
      const rest = await r.call('GetDurableExecutionState', { ...event, Marker: NextMarker })
      assert.deepEqual(
        (rest['Operations'] as Shown[]).map(({ Id }) => Id),
        ['b', 'w'],
      )
      return SUCCEEDED
    },
  ])
  const arn = await r.start()
  await r.clock.advance(1000)
  assert.equal(await r.status(arn), 'SUCCEEDED')
  await r.engine.stop()
})

test('a node leaves executions of others alone while those live, and takes them up when they are gone', async () => {
  const clock = createVirtualClock()
  const store = createMemoryStore({ clock })
  const alive = new Set(['one', 'two'])
  const node = (nodeId: string, guests: readonly Guest[]) =>
    rig(guests, store, clock, { nodeId, isAlive: (id) => alive.has(id) })
  const never = new Promise<never>(() => {})
  const one = node('one', [() => never])
  await one.engine.start()
  const arn = await one.start()
  const two = node('two', [async () => SUCCEEDED])
  await two.engine.start()
  await two.engine.takeUpLost()
  await clock.advance(10_000)
  assert.deepEqual([one.events.length, two.events.length], [1, 0])
  const waiting = two.engine.outcome(parseDurableExecutionArn(arn) ?? assert.fail(), undefined)

  alive.delete('one')
  await two.engine.takeUpLost()
  await clock.advance(1_000)
  assert.equal(two.events.length, 1)
  assert.equal((await waiting).status, 'SUCCEEDED')
})

test('whoever waits is told of an end on another node', async () => {
  const clock = createVirtualClock()
  const store = createMemoryStore({ clock })
  const cluster = (nodeId: string) => ({ nodeId, isAlive: () => true })
  const one = rig([async () => PENDING], store, clock, cluster('one'))
  const two = rig([async () => SUCCEEDED], store, clock, cluster('two'))
  await one.engine.start()
  await two.engine.start()
  const arn = await one.start()
  const ref = parseDurableExecutionArn(arn) ?? assert.fail()
  const waiting = one.engine.outcome(ref, undefined)
  await two.call('StopDurableExecution', { DurableExecutionArn: arn })
  assert.equal((await waiting).status, 'STOPPED')
})
