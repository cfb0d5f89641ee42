import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { AsyncEvent } from '#contracts/event.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import type { InvocationRequest } from '#contracts/invocation.ts'
import { throttled } from '#contracts/errors.ts'
import { parseTraceHeader } from '#contracts/trace-header.ts'
import { createFrontend } from '#data-plane/frontend/create-frontend.ts'
import type { PlacementInvocation } from '#data-plane/placement/port.ts'
import { seededRandom } from '#kernel/random.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

import { aVersion, ID } from '../../../test/support/function-version.ts'

const request = (change: Partial<InvocationRequest> = {}): InvocationRequest => ({
  id: ID,
  qualifier: undefined,
  requestId: 'r1',
  payload: Buffer.from('{"a":1}'),
  logType: 'None',
  ...change,
})

const setup = (version: FunctionVersion | Promise<FunctionVersion> = aVersion(), allowsRecursion = false) => {
  const ran: PlacementInvocation[] = []
  const queued: AsyncEvent[] = []
  const held: string[] = []
  let refuse = false
  let fail: Error | undefined
  const frontend = createFrontend({
    catalog: { resolve: () => version, allowsRecursion: async () => allowsRecursion },
    counting: {
      admit(id) {
        if (refuse) throw throttled('ConcurrentInvocationLimitExceeded')
        held.push(id.name)
        return () => void held.pop()
      },
    },
    placement: {
      async invoke(invocation) {
        assert.equal(held.length, 1, 'admitted before it runs')
        if (fail) throw fail
        ran.push(invocation)
        return { executedVersion: '$LATEST', payload: Buffer.from('1') }
      },
    },
    events: { enqueue: async (event) => void queued.push(event) },
    clock: createVirtualClock(Date.UTC(2026, 0, 2)),
    random: seededRandom(1),
  })
  return {
    frontend,
    ran,
    queued,
    held,
    refuse: () => (refuse = true),
    fail: (error: Error) => (fail = error),
  }
}

test('frontend: an invocation is admitted, run and given back', async () => {
  const { frontend, ran, held } = setup()
  const result = await frontend.invoke(request({ logType: 'Tail', clientContext: '{}' }))
  assert.equal(result.executedVersion, '$LATEST')
  assert.equal(held.length, 0)
  assert.equal(ran[0]?.logType, 'Tail')
  assert.equal(ran[0]?.invocation.clientContext, '{}')
  assert.equal(ran[0]?.invocation.invokedFunctionArn, 'arn:aws:lambda:us-east-1:000000000000:function:hello')
  assert.match(
    ran[0]?.invocation.traceId ?? '',
    /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=1:[0-9a-f]{8}:0$/,
  )
})

test('frontend: the function hears the name it was called by, and the trace of its caller', async () => {
  const { frontend, ran } = setup(Promise.resolve(aVersion({ version: '3' })))
  const root = `1-68e5e4a1-${'ab'.repeat(12)}`
  await frontend.invoke(
    request({ qualifier: 'live', traceId: `Root=${root};Parent=${'c'.repeat(16)};Sampled=1` }),
  )
  assert.equal(
    ran[0]?.invocation.invokedFunctionArn,
    'arn:aws:lambda:us-east-1:000000000000:function:hello:live',
  )
  // A segment of its own in the trace of the caller.
  const trace = parseTraceHeader(ran[0]?.invocation.traceId)
  assert.deepEqual([trace?.root, trace?.sampled, trace?.lineage?.requests], [root, true, 1])
  assert.notEqual(trace?.parent, 'c'.repeat(16))
})

test('frontend: an empty payload becomes an empty object', async () => {
  const { frontend, ran, queued } = setup()
  await frontend.invoke(request({ payload: new Uint8Array() }))
  await frontend.enqueue(request({ payload: new Uint8Array() }))
  assert.equal(Buffer.from(ran[0]?.invocation.payload ?? []).toString(), '{}')
  assert.equal(Buffer.from(queued[0]?.payload ?? []).toString(), '{}')
})

test('frontend: the place is given back when the invocation fails, and none is taken when it is refused', async () => {
  const { frontend, held, fail, refuse, ran } = setup()
  fail(new Error('broken'))
  await assert.rejects(frontend.invoke(request()), /broken/)
  assert.equal(held.length, 0)
  refuse()
  await assert.rejects(frontend.invoke(request()), { code: 'TooManyRequestsException' })
  assert.equal(ran.length, 0)
})

test('frontend: a function that is not active is refused in all three ways', async () => {
  for (const state of ['Pending', 'Failed', 'Inactive'] as const) {
    const { frontend, ran, queued } = setup(aVersion({ state }))
    const expected = {
      code: 'ResourceConflictException',
      status: 409,
      message: `The operation cannot be performed at this time. The function is currently in the following state: ${state}`,
    }
    await assert.rejects(frontend.invoke(request()), expected)
    await assert.rejects(frontend.enqueue(request()), expected)
    await assert.rejects(frontend.dryRun(request()), expected)
    assert.equal(ran.length + queued.length, 0)
  }
})

test('frontend: an event is queued with what it needs later, without the client context', async () => {
  const { frontend, queued } = setup()
  await frontend.enqueue(
    request({ qualifier: 'live', clientContext: '{}', traceId: `Root=1-68e5e4a1-${'ab'.repeat(12)}` }),
  )
  const { payload, ...rest } = queued[0] ?? { payload: [] }
  assert.equal(Buffer.from(payload).toString(), '{"a":1}')
  assert.deepEqual(rest, {
    target: ID,
    qualifier: 'live',
    requestId: 'r1',
    traceId: `Root=1-68e5e4a1-${'ab'.repeat(12)}`,
    acceptedAt: Date.UTC(2026, 0, 2),
    functionErrors: 0,
    attempts: 0,
  })
})

test('frontend: payloads are bounded by the kind of invocation', async () => {
  const { frontend } = setup()
  await assert.rejects(frontend.invoke(request({ payload: Buffer.alloc(6_291_457) })), {
    code: 'RequestEntityTooLargeException',
    status: 413,
    message:
      '6291457 byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)',
  })
  await assert.rejects(frontend.enqueue(request({ payload: Buffer.alloc(1_048_577) })), {
    message: '1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)',
  })
  await frontend.enqueue(request({ payload: Buffer.alloc(1_048_576) }))
})

test('frontend: a dry run takes no place and runs nothing', async () => {
  const { frontend, ran, queued, refuse } = setup()
  refuse()
  await frontend.dryRun(request())
  assert.equal(ran.length + queued.length, 0)
})

test('frontend: a tenant is named exactly when the function has tenants, and is handed on', async () => {
  const isolated = aVersion({ tenantIsolation: 'PER_TENANT' })
  const { frontend, ran, queued } = setup(isolated)
  for (const refused of [frontend.invoke, frontend.invokeStreaming, frontend.enqueue, frontend.dryRun]) {
    await assert.rejects(refused(request()), { code: 'InvalidParameterValueException', status: 400 })
    await assert.rejects(setup().frontend.invoke(request({ tenantId: 'blue' })), {
      code: 'InvalidParameterValueException',
    })
  }
  assert.deepEqual([ran.length, queued.length], [0, 0])
  await frontend.invoke(request({ tenantId: 'blue' }))
  await frontend.enqueue(request({ tenantId: 'green' }))
  assert.equal(ran[0]?.invocation.tenantId, 'blue')
  assert.equal(queued[0]?.tenantId, 'green')
})

/** Invokes the function again and again, each time with the header that it was given the time before, as SDKs do. */
async function chain(frontend: ReturnType<typeof setup>['frontend'], ran: readonly PlacementInvocation[]) {
  for (let count = 0; ; count++) {
    try {
      await frontend.invoke(request({ traceId: ran.at(-1)?.invocation.traceId }))
    } catch (error) {
      return { count, error: error as { code: string; status: number } }
    }
    if (count === 100) return { count }
  }
}

test('frontend: a function that invokes itself runs sixteen times in one chain', async () => {
  const { frontend, ran, held } = setup()
  const { count, error } = await chain(frontend, ran)
  assert.deepEqual([count, error?.code, error?.status], [16, 'RecursiveInvocationException', 400])
  assert.equal(held.length, 0)
  // Another chain is another matter.
  await frontend.invoke(request())
  assert.equal(ran.length, 17)
})

test('frontend: a function that allows it goes round for ever', async () => {
  const { frontend, ran } = setup(aVersion(), true)
  assert.equal((await chain(frontend, ran)).count, 100)
})

test('frontend: an event keeps the trace of its caller, chain and all', async () => {
  const { frontend, queued } = setup()
  const traceId = `Root=1-68e5e4a1-${'ab'.repeat(12)};Parent=${'c'.repeat(16)};Sampled=1;Lineage=7:a87bd80c:3`
  await frontend.enqueue(request({ traceId }))
  assert.equal(queued[0]?.traceId, traceId)
  await frontend.enqueue(request({ traceId: 'nonsense' }))
  assert.match(queued[1]?.traceId ?? '', /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/)
})
