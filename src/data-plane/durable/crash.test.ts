/** A process that dies before any one of its transactions: the next one ends every execution, and nothing twice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { LATEST } from '#contracts/arn.ts'
import type { OperationUpdate } from '#contracts/durable.ts'
import { parseDurableExecutionArn } from '#contracts/durable.ts'
import type { InvocationRequest, InvocationResult } from '#contracts/invocation.ts'
import { createEngine } from '#data-plane/durable/create-engine.ts'
import { createDurableOperations } from '#data-plane/durable/operations.ts'
import { seededRandom } from '#kernel/random.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import type { Meta } from '#store/port.ts'
import type { RequestContext } from '#wire/service.ts'

import { createTestKeys } from '../../../test/support/customer-keys.ts'
import { aVersion, ID } from '../../../test/support/function-version.ts'

const CONTEXT = { account: ID.account, region: ID.region } as RequestContext
const silent = { debug() {}, info() {}, warn() {}, error() {} }
const DURABLE = aVersion({ durable: { executionTimeoutSeconds: 600, retentionDays: 1 } })
const PLAIN = aVersion({ name: 'plain' })

interface Shown {
  readonly Id: string
  readonly Status: string
  readonly ExecutionDetails?: { readonly InputPayload?: string }
}
type Call = (input: object, context: RequestContext) => Promise<{ readonly CheckpointToken?: string }>

const step = (Id: string): OperationUpdate => ({ Id, Type: 'STEP', Action: 'SUCCEED', Payload: '1' })
const chained = (Id: string, FunctionName: string): OperationUpdate => ({
  Id,
  Type: 'CHAINED_INVOKE',
  Action: 'START',
  Payload: '"child"',
  ChainedInvokeOptions: { FunctionName },
})
const waiting: OperationUpdate = { Id: 'w', Type: 'WAIT', Action: 'START', WaitOptions: { WaitSeconds: 3 } }

/** One process: it dies before its transaction number `lives`. */
function aProcess(store: Pick<ReturnType<typeof createMemoryStore>, 'meta'>, startMs: number, lives: number) {
  const clock = createVirtualClock(startMs)
  const random = seededRandom(startMs + lives)
  let left = lives
  const isDead = () => left <= 0
  const dead = () => new Promise<never>(() => {})
  const meta: Meta = {
    ...store.meta,
    get: (key) => (isDead() ? dead() : store.meta.get(key)),
    list: (...query) => (isDead() ? dead() : store.meta.list(...query)),
    txn: (writes) => (left-- <= 0 ? dead() : store.meta.txn(writes)),
  }
  // What an SDK does: looks what is done, does the next thing, waits for what is open.
  const invoke = async (request: InvocationRequest): Promise<InvocationResult> => {
    const answer = (value: object) => ({ executedVersion: '1', payload: Buffer.from(JSON.stringify(value)) })
    if (request.id.name === 'plain') return answer({ plain: true })
    const event = JSON.parse(Buffer.from(request.payload).toString())
    const known = new Map<string, Shown>()
    for (const one of event.InitialExecutionState.Operations as Shown[]) known.set(one.Id, one)
    const root = [...known.values()][0]
    if (root?.ExecutionDetails?.InputPayload === '"child"')
      return answer({ Status: 'SUCCEEDED', Result: '2' })
    let token: string = event.CheckpointToken
    const checkpoint = async (Updates: readonly OperationUpdate[]) => {
      const { DurableExecutionArn } = event
      const call = operations['CheckpointDurableExecution']
      token =
        (await call?.({ DurableExecutionArn, CheckpointToken: token, Updates }, CONTEXT))?.CheckpointToken ??
        ''
    }
    if (!known.has('s')) await checkpoint([step('s')])
    if (!known.has('w')) await checkpoint([waiting, chained('i', `hello:${LATEST}`), chained('p', 'plain')])
    const open = ['w', 'i', 'p'].some((id) => known.get(id)?.Status !== 'SUCCEEDED')
    return answer(open ? { Status: 'PENDING' } : { Status: 'SUCCEEDED', Result: '"all"' })
  }
  const engine = createEngine({
    keys: createTestKeys().keys,
    meta,
    frontend: { invoke },
    resolve: ({ name }) => (name === 'plain' ? PLAIN : DURABLE),
    clock,
    random,
    logger: silent,
    concurrency: 4,
  })
  const operations = createDurableOperations({ engine, meta, random }) as unknown as Record<string, Call>
  return { engine, clock, transactions: () => lives - left, isDead }
}

async function runWithCrash(lives: number) {
  const store = createMemoryStore({ clock: createVirtualClock() })
  const first = aProcess(store, 1_800_000_000_000, lives)
  void first.engine.start()
  const begun = first.engine.begin({ version: DURABLE, input: '{}', name: 'n', isSynchronous: false })
  await first.clock.advance(10_000)
  const second = aProcess(store, first.clock.now(), Number.POSITIVE_INFINITY)
  await second.engine.start()
  // The client did not get an answer to its request, and asks again.
  if (lives === 0)
    await second.engine.begin({ version: DURABLE, input: '{}', name: 'n', isSynchronous: false })
  await second.clock.advance(10_000)
  const arn =
    lives === 0
      ? (await second.engine.begin({ version: DURABLE, input: '{}', name: 'n', isSynchronous: false })).arn
      : (await begun).arn
  const ref = parseDurableExecutionArn(arn)
  assert.ok(ref)
  const loaded = await second.engine.store.load(ref)
  const events = loaded ? await second.engine.store.events(loaded.execution.head, 0, 1000) : []
  const running = await second.engine.store.running('')
  await second.engine.stop()
  return { loaded, events, running, transactions: first.transactions() }
}

test('a crash before any transaction: the execution ends after the restart, each thing recorded once', async () => {
  const whole = await runWithCrash(Number.MAX_SAFE_INTEGER)
  const expected = whole.events
    .map(({ type }) => type)
    .filter((type) => type !== 'InvocationCompleted')
    .toSorted()
  assert.equal(whole.loaded?.execution.head.status, 'SUCCEEDED')
  assert.ok(whole.transactions > 8)
  for (let lives = 0; lives < whole.transactions; lives++) {
    const { loaded, events, running } = await runWithCrash(lives)
    assert.equal(loaded?.execution.head.status, 'SUCCEEDED', `dead before transaction ${lives}`)
    assert.deepEqual(running, [], `nothing is left running after a crash before ${lives}`)
    const types = events.map(({ type }) => type).filter((type) => type !== 'InvocationCompleted')
    assert.deepEqual(types.toSorted(), expected, `dead before transaction ${lives}`)
  }
})
