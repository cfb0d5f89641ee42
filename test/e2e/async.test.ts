/** Asynchronous invocations: attempts of a failing function, and what a restart finds in the queue. */
// parity: Invoke PutFunctionEventInvokeConfig
import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  DeleteFunctionCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda'

import {
  createFunction,
  errorOf,
  eventually,
  invoke,
  lambdaClient,
  logMessages,
  logsClient,
} from '../support/clients.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'

const depth = async (program: Program) =>
  ((await (await fetch(`${program.endpoint}/_lambent/health`)).json()) as { asyncEvents: number }).asyncEvents
const EVENT = { InvocationType: 'Event' } as const

test('a failing function: no retry when none is wanted, otherwise the event waits for its next attempt', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  let program = await startProgram({ dataDirectory })
  t.after(() => program.stop())
  const lambda = lambdaClient(program.endpoint)
  const files = {
    'index.js': `exports.handler = async (event, context) => { console.log('RUN', context.awsRequestId); throw new Error('always') }`,
  }
  await Promise.all(['once', 'retried'].map((name) => createFunction(lambda, { FunctionName: name, files })))
  const config = await lambda.send(
    new PutFunctionEventInvokeConfigCommand({ FunctionName: 'once', MaximumRetryAttempts: 0 }),
  )
  assert.equal(config.MaximumRetryAttempts, 0)
  const once = await invoke(lambda, 'once', { a: 1 }, EVENT)
  assert.deepEqual([once.status, once.text], [202, ''])
  const runs = async (name: string) =>
    (await logMessages(logsClient(program.endpoint), name)).filter((line) => line.includes('RUN'))
  await eventually('it ran and was given up', async () =>
    (await runs('once')).length === 1 && (await depth(program)) === 0 ? true : undefined,
  )
  assert.ok((await runs('once'))[0]?.includes(once.requestId), 'the function sees the id that the client got')
  assert.match(program.output(), /"An asynchronous event was given up".*"RetriesExhausted"/)

  const retried = await invoke(lambda, 'retried', {}, EVENT)
  await eventually('its first attempt ran', async () =>
    (await runs('retried')).length === 1 ? true : undefined,
  )
  // The next attempt is a minute away; until then it is in the queue, also after a restart.
  await eventually('it is settled', async () => ((await depth(program)) === 1 ? true : undefined))
  await program.stop()
  program = await startProgram({ dataDirectory })
  assert.equal(await depth(program), 1)
  const seen = await runs('retried')
  assert.deepEqual([seen.length, seen[0]?.includes(retried.requestId)], [1, true])
})

test('what is queued when the program stops runs after the next start', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  let program = await startProgram({ dataDirectory })
  t.after(() => program.stop())
  const lambda = lambdaClient(program.endpoint)
  await createFunction(lambda, {
    FunctionName: 'queued',
    files: {
      'index.js': `exports.handler = async ({ n }) => { console.log('RAN ' + n + '.'); await new Promise((resolve) => setTimeout(resolve, 400)) }`,
    },
  })
  const all = Array.from({ length: 40 }, (_, n) => n)
  await Promise.all(all.map((n) => invoke(lambda, 'queued', { n }, EVENT)))
  await program.stop()
  program = await startProgram({ dataDirectory })
  const logs = logsClient(program.endpoint)
  await eventually('all of them ran', async () => {
    const lines = await logMessages(logs, 'queued')
    return all.every((n) => lines.some((line) => line.includes(`RAN ${n}.`))) ? true : undefined
  })
  await eventually('the queue is empty', async () => ((await depth(program)) === 0 ? true : undefined))
})

test('events of a throttled function wait, those of a deleted or reserved-to-nothing one are given up', async (t) => {
  const program = await startProgram()
  t.after(() => program.stop())
  const lambda = lambdaClient(program.endpoint)
  const files = {
    'index.js': `exports.handler = async ({ ms = 0, word }) => { console.log('RAN', word); await new Promise((resolve) => setTimeout(resolve, ms)) }`,
  }
  await Promise.all(
    ['narrow', 'closed', 'gone'].map((name) =>
      createFunction(lambda, { FunctionName: name, files, Timeout: 20 }),
    ),
  )
  const reserve = (FunctionName: string, ReservedConcurrentExecutions: number) =>
    lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions }))
  await reserve('narrow', 1)
  const first = invoke(lambda, 'narrow', { ms: 2500, word: 'first' })
  await eventually('the one place is taken', async () => {
    const error = await errorOf(invoke(lambda, 'narrow', {})).catch(() => undefined)
    return error?.name === 'TooManyRequestsException' ? true : undefined
  })
  await invoke(lambda, 'narrow', { word: 'second' }, EVENT)
  await first
  const logs = logsClient(program.endpoint)
  await eventually('the second ran later', async () =>
    (await logMessages(logs, 'narrow')).some((line) => line.includes('RAN second')) ? true : undefined,
  )
  await reserve('closed', 0)
  await invoke(lambda, 'closed', { word: 'never' }, EVENT)
  await eventually('it was given up', () =>
    Promise.resolve(/"given up|ZeroReservedConcurrency/.test(program.output()) || undefined),
  )
  assert.deepEqual(await logMessages(logs, 'closed'), [])
  await lambda.send(new DeleteFunctionCommand({ FunctionName: 'gone' }))
  assert.equal((await errorOf(invoke(lambda, 'gone', {}, EVENT))).name, 'ResourceNotFoundException')
  await eventually('the queue is empty', async () => ((await depth(program)) === 0 ? true : undefined))
})
