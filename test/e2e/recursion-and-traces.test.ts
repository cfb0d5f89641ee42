/** Traces handed through and made, and loops of functions that are stopped, with AWS's SDK inside of the functions. */
// parity: PutFunctionRecursionConfig GetFunctionRecursionConfig Invoke UpdateFunctionConfiguration
// parity: Invoke/RecursiveInvocationException InvokeWithResponseStream/RecursiveInvocationException
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  GetFunctionRecursionConfigCommand,
  PutFunctionRecursionConfigCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import {
  createFunction,
  eventually,
  invoke,
  lambdaClient,
  logMessages,
  logsClient,
} from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

/** What AWS's SDKs do in a function: every request carries the trace of the invocation. */
const CALL = `const call = async (name, event, type = 'RequestResponse') => {
    const response = await fetch(
      process.env.AWS_ENDPOINT_URL + '/2015-03-31/functions/' + name + '/invocations',
      {
        method: 'POST',
        headers: { 'x-amz-invocation-type': type, 'x-amzn-trace-id': process.env._X_AMZN_TRACE_ID },
        body: JSON.stringify(event),
      },
    )
    const text = await response.text()
    return { status: response.status, error: response.headers.get('x-amzn-errortype'), body: text && JSON.parse(text) }
  }
  `
/** Calls itself and waits, and says how deep it went and how it ended; the last time, if told so, for a stream. */
const DEEP = {
  'index.mjs': `${CALL}
    export const handler = async ({ depth = 1, streamsAt }) => {
      if (depth >= 25) return { depth, end: 'limit' }
      const { AWS_ENDPOINT_URL: endpoint, AWS_LAMBDA_FUNCTION_NAME: name, _X_AMZN_TRACE_ID: trace } = process.env
      if (depth === streamsAt) {
        const { status, headers } = await fetch(
          endpoint + '/2021-11-15/functions/' + name + '/response-streaming-invocations',
          { method: 'POST', headers: { 'x-amzn-trace-id': trace }, body: '{"depth":25}' },
        )
        return { depth, status, end: headers.get('x-amzn-errortype') }
      }
      const { status, error, body } = await call(name, { depth: depth + 1, streamsAt })
      return status === 200 ? body : { depth, end: error, message: body.Message }
    }`,
}
/** Sends an event to the next function of the circle and does not wait. */
const SENDS = {
  'index.mjs': `${CALL}
    export const handler = async ({ circle, n = 1, limit = 60 }) => {
      console.log('round', n)
      if (n < limit) await call(circle[n % circle.length], { circle, n: n + 1, limit }, 'Event')
    }`,
}
const SHOW = { 'index.mjs': 'export const handler = async () => process.env._X_AMZN_TRACE_ID' }
const ROOT = `1-68e5e4a1-${'ab'.repeat(12)}`

describe('recursion and traces', () => {
  let program: Program
  let lambda: LambdaClient
  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
  })
  after(() => program.stop())

  test('a function that invokes itself and waits is refused after sixteen times', async () => {
    await createFunction(lambda, { FunctionName: 'deep', files: DEEP, Timeout: 120, MemorySize: 512 })
    assert.deepEqual((await invoke(lambda, 'deep', {})).payload, {
      depth: 16,
      end: 'RecursiveInvocationException',
      message:
        "Lambda has detected your function being invoked in a recursive loop with other AWS resources and stopped your function's invocation.",
    })
    const streamed = async (streamsAt: number) => (await invoke(lambda, 'deep', { streamsAt })).payload
    assert.deepEqual(await streamed(16), { depth: 16, status: 400, end: 'RecursiveInvocationException' })
    assert.deepEqual(await streamed(15), { depth: 15, status: 200, end: null })
  })

  test('events that go round in circles are dropped, unless the function allows it', async () => {
    const names = ['alone', 'ping', 'pong', 'allowed']
    for (const FunctionName of names) {
      await createFunction(lambda, { FunctionName, files: SENDS, Timeout: 30, MemorySize: 512 })
    }
    const setting = async (FunctionName: string) =>
      (await lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName }))).RecursiveLoop
    assert.equal(await setting('allowed'), 'Terminate')
    await lambda.send(
      new PutFunctionRecursionConfigCommand({ FunctionName: 'allowed', RecursiveLoop: 'Allow' }),
    )
    assert.equal(await setting('allowed'), 'Allow')
    const send = (name: string, circle: string[], limit: number) =>
      invoke(lambda, name, { circle, limit }, { InvocationType: 'Event' })
    await send('alone', ['alone'], 60)
    await send('ping', ['ping', 'pong'], 60)
    await send('allowed', ['allowed'], 30)
    const logs = logsClient(program.endpoint)
    const rounds = async (name: string) =>
      (await logMessages(logs, name)).filter((line) => line.includes('round')).length
    const expected = { alone: 16, ping: 17, pong: 16, allowed: 30 }
    const counts = async () =>
      Object.fromEntries(
        await Promise.all(Object.keys(expected).map(async (name) => [name, await rounds(name)] as const)),
      )
    const sum = Object.values(expected).reduce((all, one) => all + one)
    await eventually(
      'as many rounds as there may be',
      async () => {
        const seen = Object.values(await counts()).reduce((all, one) => all + one)
        return seen >= sum ? true : undefined
      },
      90_000,
    )
    // And not one more.
    await new Promise((resolve) => setTimeout(resolve, 1500))
    assert.deepEqual(await counts(), expected)
  })

  test('a trace is handed through, or made, and comes back with the answer', async () => {
    await createFunction(lambda, { FunctionName: 'shows', files: SHOW })
    const send = async (headers: Record<string, string>) => {
      const response = await fetch(`${program.endpoint}/2015-03-31/functions/shows/invocations`, {
        method: 'POST',
        headers,
      })
      return { seen: (await response.json()) as string, answered: response.headers.get('x-amzn-trace-id') }
    }
    const own = await send({})
    assert.match(
      own.seen,
      /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=1:[0-9a-f]{8}:0$/,
    )
    const root = /Root=([^;]+)/.exec(own.seen)?.[1]
    const lineage = /Lineage=(.+)$/.exec(own.seen)?.[1]
    assert.equal(own.answered, `root=${root};sampled=0;lineage=${lineage}`)
    const given = await send({ 'x-amzn-trace-id': `Root=${ROOT};Parent=${'c'.repeat(16)};Sampled=1` })
    assert.match(given.seen, new RegExp(`^Root=${ROOT};Parent=[0-9a-f]{16};Sampled=1;Lineage=1:`))
    assert.ok(!given.seen.includes('c'.repeat(16)))
    const strange = await send({ 'x-amzn-trace-id': 'Root=1-a-b;Lineage=99999:x:1' })
    assert.match(strange.seen, /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};.*;Lineage=1:[0-9a-f]{8}:0$/)
  })

  test('a function with active tracing names the trace in its REPORT', async () => {
    await createFunction(lambda, {
      FunctionName: 'traced',
      files: SHOW,
      TracingConfig: { Mode: 'Active' },
    })
    const { payload, log } = await invoke(lambda, 'traced', {}, { LogType: 'Tail' })
    const [, root, parent] = /^Root=([^;]+);Parent=([0-9a-f]{16});Sampled=1;/.exec(String(payload)) ?? []
    assert.ok(root && parent, String(payload))
    assert.match(
      log,
      new RegExp(
        `\\nREPORT RequestId: .*\\t\\nXRAY TraceId: ${root}\\tSegmentId: ${parent}\\tSampled: true\\t`,
      ),
    )
    const plain = await invoke(lambda, 'shows', {}, { LogType: 'Tail' })
    assert.doesNotMatch(plain.log, /XRAY/)
  })
})
