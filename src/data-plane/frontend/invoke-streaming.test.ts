import assert from 'node:assert/strict'
import { test } from 'node:test'

import { throttled } from '#contracts/errors.ts'
import type { InvocationRequest, InvocationResult, ResponseStream } from '#contracts/invocation.ts'
import { createFrontend } from '#data-plane/frontend/create-frontend.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { seededRandom } from '#kernel/random.ts'

import { aVersion, ID } from '../../../test/support/function-version.ts'

const request = (change: Partial<InvocationRequest> = {}): InvocationRequest => ({
  id: ID,
  qualifier: undefined,
  requestId: 'r1',
  payload: Buffer.from('{"a":1}'),
  logType: 'None',
  ...change,
})
const RESULT: InvocationResult = { executedVersion: '3', payload: new Uint8Array() }

/** The test plays the function: `stream()` is where it writes, `end` how it ends. */
const setup = (refusal?: Error) => {
  const end = Promise.withResolvers<InvocationResult>()
  let stream: ResponseStream | undefined
  let admitted = 0
  const frontend = createFrontend({
    catalog: { resolve: () => aVersion({ version: '3' }), allowsRecursion: async () => false },
    counting: {
      admit() {
        if (refusal) throw refusal
        admitted++
        return () => void admitted--
      },
    },
    placement: {
      invoke(invocation) {
        stream = invocation.stream
        return end.promise
      },
    },
    events: { enqueue: async () => {} },
    clock: createVirtualClock(),
    random: seededRandom(1),
    streaming: { maxBytes: 1000 },
  })
  return { frontend, end, admitted: () => admitted, stream: () => stream ?? assert.fail('it does not run') }
}
const turns = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('streaming: the answer is there when the function begins to write, its place is taken until it ends', async () => {
  const { frontend, end, admitted, stream } = setup()
  let answered = false
  const answering = frontend.invokeStreaming(request()).finally(() => (answered = true))
  await turns()
  assert.equal(answered, false)
  assert.equal(stream().maxBytes, 1000)
  stream().start('text/plain')
  const answer = await answering
  assert.deepEqual([answer.executedVersion, answer.streamed, answer.contentType], ['3', true, 'text/plain'])
  const chunks = answer.chunks[Symbol.asyncIterator]()
  stream().write(Buffer.from('one'))
  assert.deepEqual((await chunks.next()).value, Buffer.from('one'))
  assert.equal(admitted(), 1)
  const last = chunks.next()
  end.resolve(RESULT)
  assert.equal((await last).done, true)
  assert.equal(await answer.end, RESULT)
  assert.equal(admitted(), 0)
})

test('streaming: a function that does not stream is answered at its end, in one piece', async () => {
  const { frontend, end } = setup()
  end.resolve({ ...RESULT, payload: Buffer.from('"whole"') })
  const answer = await frontend.invokeStreaming(request())
  assert.deepEqual([answer.streamed, answer.contentType], [false, undefined])
  const chunks = []
  for await (const chunk of answer.chunks) chunks.push(Buffer.from(chunk).toString())
  assert.deepEqual(chunks, ['"whole"'])
})

test('streaming: an error document is no part of the answer', async () => {
  const { frontend, end } = setup()
  end.resolve({ ...RESULT, functionError: 'Unhandled', payload: Buffer.from('{}') })
  const answer = await frontend.invokeStreaming(request())
  for await (const chunk of answer.chunks) assert.fail(`${chunk.byteLength} bytes`)
  assert.equal((await answer.end).functionError, 'Unhandled')
})

test('streaming: what refuses an invocation refuses this one', async () => {
  const refused = setup(throttled('ConcurrentInvocationLimitExceeded'))
  await assert.rejects(refused.frontend.invokeStreaming(request()), { code: 'TooManyRequestsException' })
  const { frontend, end, admitted } = setup()
  end.reject(new Error('broken'))
  await assert.rejects(frontend.invokeStreaming(request()), /broken/)
  assert.equal(admitted(), 0)
})

test('streaming: a client that goes makes the function neither wait nor stop, even before anybody reads', async () => {
  const { frontend, end, stream } = setup()
  const gone = new AbortController()
  const answering = frontend.invokeStreaming(request({ signal: gone.signal }))
  await turns()
  stream().start(undefined)
  await answering
  for (let left = 3000; left > 0; left -= 500) stream().write(Buffer.alloc(200_000))
  assert.equal(stream().full, true)
  const room = stream().whenRoom()
  gone.abort()
  await room
  assert.equal(stream().write(Buffer.alloc(1_000_000)), true)
  end.reject(new Error('nobody hears this'))
  await turns()
})
