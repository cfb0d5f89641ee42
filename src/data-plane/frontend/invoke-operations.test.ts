import assert from 'node:assert/strict'
import { test } from 'node:test'

import { serviceFailure } from '#contracts/errors.ts'
import type { InvocationRequest, InvocationResult } from '#contracts/invocation.ts'
import { createInvokeOperations } from '#data-plane/frontend/invoke-operations.ts'
import type { StreamedAnswer } from '#data-plane/frontend/port.ts'
import type { OperationHandler, RequestContext } from '#wire/service.ts'

const context: RequestContext = {
  requestId: 'r1',
  account: '000000000000',
  region: 'us-east-1',
  principal: { account: '000000000000', arn: 'arn:aws:iam::000000000000:root', accessKeyId: 'test' },
  endpoint: 'http://127.0.0.1:4566',
  signal: new AbortController().signal,
  traceId: 'Root=1-a-b',
}

async function* piecesOf(texts: readonly string[]) {
  for (const text of texts) yield Buffer.from(text)
}

const setup = (result: Partial<InvocationResult> = {}, streamed?: Partial<StreamedAnswer>) => {
  const calls: { readonly how: string; readonly request: InvocationRequest }[] = []
  const handlers = createInvokeOperations({
    frontend: {
      async invoke(request) {
        calls.push({ how: 'invoke', request })
        return { executedVersion: '$LATEST', payload: Buffer.from('"hi"'), ...result }
      },
      async invokeStreaming(request) {
        const end = { executedVersion: '$LATEST', payload: Buffer.from('"hi"'), ...result }
        calls.push({ how: 'invokeStreaming', request })
        return {
          executedVersion: '$LATEST',
          streamed: false,
          contentType: undefined,
          chunks: piecesOf(result.functionError === undefined ? ['"hi"'] : []),
          end: Promise.resolve(end),
          ...streamed,
        }
      },
      enqueue: async (request) => void calls.push({ how: 'enqueue', request }),
      dryRun: async (request) => void calls.push({ how: 'dryRun', request }),
    },
  })
  const call = (operation: string, input: object) => {
    const handler = handlers[operation] as OperationHandler<object, Record<string, unknown>>
    return handler(input, context)
  }
  return { call, calls }
}
const FunctionName = 'hello'

test('Invoke: answers payload, version and status', async () => {
  const { call, calls } = setup()
  const Payload = Buffer.from('{"a":1}')
  assert.deepEqual(await call('Invoke', { FunctionName, Payload }), {
    $status: 200,
    ExecutedVersion: '$LATEST',
    Payload: Buffer.from('"hi"'),
  })
  const { request, how } = calls[0] ?? assert.fail()
  assert.equal(how, 'invoke')
  assert.equal(request.payload, Payload, 'handed on as it is')
  assert.deepEqual(
    [request.id, request.qualifier, request.requestId, request.traceId, request.logType],
    [{ account: '000000000000', region: 'us-east-1', name: 'hello' }, undefined, 'r1', 'Root=1-a-b', 'None'],
  )
})

test('Invoke: a function error and the end of the log are members of the answer', async () => {
  const { call } = setup({ functionError: 'Unhandled', logTail: Buffer.from('END') })
  const answer = await call('Invoke', { FunctionName, LogType: 'Tail' })
  assert.deepEqual([answer['FunctionError'], answer['LogResult'], answer.$status], ['Unhandled', 'RU5E', 200])
})

test('Invoke: Event is queued and answers 202 with nothing, DryRun answers 204 with nothing', async () => {
  const { call, calls } = setup()
  assert.deepEqual(await call('Invoke', { FunctionName, InvocationType: 'Event' }), { $status: 202 })
  assert.deepEqual(await call('Invoke', { FunctionName, InvocationType: 'DryRun' }), { $status: 204 })
  assert.deepEqual(
    calls.map((c) => c.how),
    ['enqueue', 'dryRun'],
  )
})

test('Invoke: every spelling of the name finds the same function', async () => {
  const { call, calls } = setup()
  const arn = 'arn:aws:lambda:us-east-1:000000000000:function:hello'
  for (const input of [
    { FunctionName: 'hello:live' },
    { FunctionName: 'hello', Qualifier: 'live' },
    { FunctionName: 'hello:live', Qualifier: 'live' },
    { FunctionName: '000000000000:function:hello:live' },
    { FunctionName: `${arn}:live` },
    { FunctionName: arn, Qualifier: 'live' },
  ]) {
    await call('Invoke', input)
    assert.deepEqual([calls.at(-1)?.request.id.name, calls.at(-1)?.request.qualifier], ['hello', 'live'])
  }
  await call('Invoke', { FunctionName, Qualifier: '' })
  assert.equal(calls.at(-1)?.request.qualifier, undefined)
})

const REFUSALS: readonly [string, object, object][] = [
  [
    'a name of another region',
    { FunctionName: 'arn:aws:lambda:us-east-2:000000000000:function:hello' },
    {
      code: 'ResourceNotFoundException',
      status: 404,
      message: "Functions from 'us-east-2' are not reachable in this region ('us-east-1')",
    },
  ],
  [
    'a name of another account',
    { FunctionName: '111111111111:function:hello' },
    {
      code: 'AccessDeniedException',
      status: 403,
      message:
        'User: arn:aws:iam::000000000000:root is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:111111111111:function:hello because no resource-based policy allows the lambda:InvokeFunction action',
    },
  ],
  [
    'two qualifiers that differ',
    { FunctionName: 'hello:1', Qualifier: '2' },
    {
      code: 'InvalidParameterValueException',
      message: 'The derived qualifier from the function name does not match the specified qualifier.',
    },
  ],
  [
    'a payload that is no JSON',
    { FunctionName, Payload: Buffer.from('{') },
    { code: 'InvalidRequestContentException' },
  ],
  [
    'an event that is no JSON',
    { FunctionName, InvocationType: 'Event', Payload: Buffer.from('nope') },
    { code: 'InvalidRequestContentException' },
  ],
  [
    'a request that is too large',
    { FunctionName, Payload: Buffer.alloc(6_291_457, 0x31) },
    {
      code: 'RequestEntityTooLargeException',
      status: 413,
      message: 'Request must be smaller than 6291456 bytes for the InvokeFunction operation',
    },
  ],
  [
    'a client context that is no base64',
    { FunctionName, ClientContext: '{}' },
    { code: 'InvalidRequestContentException' },
  ],
  [
    'a client context that is no object',
    { FunctionName, ClientContext: Buffer.from('[]').toString('base64') },
    {
      code: 'InvalidRequestContentException',
      message: 'Client context must be a valid Base64-encoded JSON object.',
    },
  ],
  [
    'a client context that is too long',
    { FunctionName, ClientContext: Buffer.from(JSON.stringify({ a: 'x'.repeat(3000) })).toString('base64') },
    { code: 'InvalidRequestContentException' },
  ],
]
for (const [name, input, expected] of REFUSALS) {
  test(`Invoke: ${name} is refused and nothing runs`, async () => {
    const { call, calls } = setup()
    await assert.rejects(call('Invoke', input), expected)
    assert.equal(calls.length, 0)
  })
}

test('Invoke: a client context is handed on as JSON text', async () => {
  const { call, calls } = setup()
  const text = '{"custom":{"ä":1}}'
  await call('Invoke', { FunctionName, ClientContext: Buffer.from(text).toString('base64') })
  assert.equal(calls[0]?.request.clientContext, text)
})

test('InvokeAsync: queues its arguments and answers 202', async () => {
  const { call, calls } = setup()
  const InvokeArgs = Buffer.from('{"a":1}')
  assert.deepEqual(await call('InvokeAsync', { FunctionName, InvokeArgs }), { $status: 202 })
  assert.deepEqual([calls[0]?.how, calls[0]?.request.payload], ['enqueue', InvokeArgs])
})

const collect = async (stream: unknown) => {
  const events: unknown[] = []
  for await (const event of stream as AsyncIterable<unknown>) events.push(event)
  return events
}

test('InvokeWithResponseStream: a buffered answer is one chunk and the end', async () => {
  const { call } = setup({ logTail: Buffer.from('END') })
  const answer = await call('InvokeWithResponseStream', { FunctionName, LogType: 'Tail' })
  assert.deepEqual([answer.$status, answer['ExecutedVersion']], [200, '$LATEST'])
  assert.deepEqual(await collect(answer['EventStream']), [
    { PayloadChunk: { Payload: Buffer.from('"hi"') } },
    { InvokeComplete: { LogResult: 'RU5E' } },
  ])
})

test('InvokeWithResponseStream: a function error ends the stream with its details', async () => {
  const { call } = setup({ functionError: 'Unhandled', payload: Buffer.from('{"errorType":"E"}') })
  const answer = await call('InvokeWithResponseStream', { FunctionName })
  assert.deepEqual(await collect(answer['EventStream']), [
    { InvokeComplete: { ErrorCode: 'Unhandled', ErrorDetails: '{"errorType":"E"}' } },
  ])
})

test('InvokeWithResponseStream: an answer is sent while it is written, and its end says what went wrong', async () => {
  const end = Promise.withResolvers<InvocationResult>()
  const { call, calls } = setup(
    {},
    { streamed: true, contentType: 'text/plain', chunks: piecesOf(['one', 'two']), end: end.promise },
  )
  const answer = await call('InvokeWithResponseStream', { FunctionName })
  assert.equal(answer['ResponseStreamContentType'], 'text/plain')
  const events = (answer['EventStream'] as AsyncIterable<unknown>)[Symbol.asyncIterator]()
  for (const text of ['one', 'two']) {
    assert.deepEqual((await events.next()).value, { PayloadChunk: { Payload: Buffer.from(text) } })
  }
  const complete = events.next()
  end.resolve({
    executedVersion: '$LATEST',
    payload: Buffer.from('{"errorType":"E"}'),
    functionError: 'Unhandled',
    logTail: Buffer.from('END'),
  })
  assert.deepEqual((await complete).value, {
    InvokeComplete: { ErrorCode: 'Unhandled', ErrorDetails: '{"errorType":"E"}', LogResult: 'RU5E' },
  })
  assert.equal((await events.next()).done, true)
  assert.deepEqual(
    calls.map(({ how }) => how),
    ['invokeStreaming'],
  )
})

test('InvokeWithResponseStream: a fault of the platform in the middle is told at the end', async () => {
  const failed = Promise.reject(serviceFailure('The execution environment failed'))
  failed.catch(() => {})
  const { call } = setup({}, { streamed: true, chunks: piecesOf(['one']), end: failed })
  const answer = await call('InvokeWithResponseStream', { FunctionName })
  assert.deepEqual((await collect(answer['EventStream'])).at(-1), {
    InvokeComplete: { ErrorCode: 'ServiceException', ErrorDetails: 'The execution environment failed' },
  })
})

test('InvokeWithResponseStream: DryRun runs nothing and answers 204', async () => {
  const { call, calls } = setup()
  const input = { FunctionName, InvocationType: 'DryRun' }
  assert.deepEqual(await call('InvokeWithResponseStream', input), { $status: 204 })
  assert.deepEqual(
    calls.map(({ how }) => how),
    ['dryRun'],
  )
})
