/** Durable executions with the official SDK for JavaScript, unchanged, inside real functions. */
// parity: CheckpointDurableExecution GetDurableExecution GetDurableExecutionState GetDurableExecutionHistory
// parity: ListDurableExecutionsByFunction StopDurableExecution SendDurableExecutionCallbackSuccess
// parity: SendDurableExecutionCallbackFailure SendDurableExecutionCallbackHeartbeat
import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  CreateAliasCommand,
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  InvokeCommand,
  ListDurableExecutionsByFunctionCommand,
  PublishVersionCommand,
  SendDurableExecutionCallbackFailureCommand,
  SendDurableExecutionCallbackHeartbeatCommand,
  SendDurableExecutionCallbackSuccessCommand,
  StopDurableExecutionCommand,
  waitUntilPublishedVersionActive,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import { createFunction, errorOf, eventually, lambdaClient } from '../support/clients.ts'
import { durableSdkForNode } from '../support/durable-sdks.ts'
import { startProgram, temporaryDirectory } from '../support/program.ts'

const HANDLER = `
const { withDurableExecution } = require('@aws/durable-execution-sdk-js')
const { appendFileSync, readFileSync } = require('node:fs')
let attempts = 0
const flows = {
  async everything(event, context) {
    const first = await context.step('first', async () => 'one')
    await context.wait('pause', { seconds: 1 })
    const retried = await context.step('retried', async () => {
      if (++attempts < 2) throw new Error('not yet')
      return attempts
    }, { retryStrategy: (error, attempt) => ({ shouldRetry: attempt < 3, delay: { seconds: 1 } }) })
    const both = await context.parallel('both', [
      async (child) => child.step('left', async () => 'L'),
      async (child) => { await child.wait('short', { seconds: 1 }); return 'R' },
    ])
    const squares = await context.map('squares', [1, 2, 3], async (child, item) => child.step('square-' + item, async () => item * item))
    const plain = await context.invoke('plain', 'plain', { n: 20 })
    const nested = await context.invoke('nested', 'flows:$LATEST', { flow: 'child', n: 1 })
    return { first, retried, both: both.getResults(), squares: squares.getResults(), plain, nested, name: event.name }
  },
  async child(event, context) {
    await context.wait({ seconds: 1 })
    return { child: event.n }
  },
  async callback(event, context) {
    const [promise, id] = await context.createCallback('answer', event.options)
    await context.step('tell', async () => id)
    return { answer: await promise }
  },
  async wait(event, context) {
    const before = await context.step('before', async () => Date.now())
    await context.wait('long', { seconds: event.seconds })
    return { before, ran: await context.step('after', async () => 'done') }
  },
  async more(event, context) {
    const polled = await context.waitForCondition('poll', async (state) => state + 1, {
      initialState: 0,
      waitStrategy: (state) => state < 3 ? { shouldContinue: true, delay: { seconds: 1 } } : { shouldContinue: false },
    })
    const big = await context.runInChildContext('big', async (child) => {
      const part = await child.step('part', async () => 'x'.repeat(200_000))
      return part + part
    })
    await context.wait({ seconds: 1 })
    const answer = await context.waitForCallback('answer', async (id) => { console.log('CALLBACK', id) })
    return { polled, big: big.length, answer }
  },
  async large(event, context) {
    const parts = []
    for (const n of [1, 2, 3]) parts.push(await context.step('part-' + n, async () => String(n).repeat(2_500_000)))
    await context.wait({ seconds: 1 })
    return parts.map((part) => part[0] + part.length)
  },
  async fails(event, context) {
    await context.step('doomed', async () => { throw new TypeError('no way') }, { retryStrategy: () => ({ shouldRetry: false }) })
  },
}
exports.handler = withDurableExecution((event, context) => flows[event.flow](event, context))
`
const PLAIN = `exports.handler = async ({ n }) => ({ doubled: n * 2 })`
const FUNCTION = 'flows:$LATEST'

async function deploy(lambda: LambdaClient, sdk: Record<string, Uint8Array>) {
  const durable = createFunction(lambda, {
    FunctionName: 'flows',
    Timeout: 30,
    MemorySize: 512,
    DurableConfig: { ExecutionTimeout: 120, RetentionPeriodInDays: 1 },
    files: { ...sdk, 'index.js': HANDLER },
  })
  const plain = createFunction(lambda, { FunctionName: 'plain', files: { 'index.js': PLAIN } })
  const [configuration] = await Promise.all([durable, plain])
  return configuration
}

async function start(lambda: LambdaClient, event: object, DurableExecutionName?: string) {
  const answer = await lambda.send(
    new InvokeCommand({
      FunctionName: FUNCTION,
      InvocationType: 'Event',
      Payload: Buffer.from(JSON.stringify(event)),
      ...(DurableExecutionName !== undefined && { DurableExecutionName }),
    }),
  )
  assert.equal(answer.StatusCode, 202)
  return answer.DurableExecutionArn ?? ''
}

const describe = (lambda: LambdaClient, DurableExecutionArn: string) =>
  lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn }))

const ended = (lambda: LambdaClient, arn: string, deadlineMs = 40_000) =>
  eventually(
    `${arn} has ended`,
    async () => {
      const execution = await describe(lambda, arn)
      return execution.Status === 'RUNNING' ? undefined : execution
    },
    deadlineMs,
  )

const historyOf = async (lambda: LambdaClient, DurableExecutionArn: string) =>
  (
    await lambda.send(
      new GetDurableExecutionHistoryCommand({
        DurableExecutionArn,
        IncludeExecutionData: true,
        MaxItems: 1000,
      }),
    )
  ).Events ?? []

const callbackIdOf = (lambda: LambdaClient, arn: string) =>
  eventually(
    'the callback has started',
    async () =>
      (await historyOf(lambda, arn)).find(({ EventType }) => EventType === 'CallbackStarted')
        ?.CallbackStartedDetails?.CallbackId,
  )

const sdk = await durableSdkForNode()

test('durable functions with the SDK for JavaScript', { skip: typeof sdk === 'string' && sdk }, async (t) => {
  if (typeof sdk === 'string') return
  const program = await startProgram()
  t.after(() => program.stop())
  const lambda = lambdaClient(program.endpoint)
  const configuration = await deploy(lambda, sdk)
  assert.deepEqual(configuration.DurableConfig, { ExecutionTimeout: 120, RetentionPeriodInDays: 1 })

  await t.test(
    'steps, waits, retries, parallel, map and chained invokes: a caller waits for the result',
    async () => {
      const answer = await lambda.send(
        new InvokeCommand({
          FunctionName: FUNCTION,
          Payload: Buffer.from('{"flow":"everything","name":"x"}'),
          DurableExecutionName: 'all-of-it',
        }),
      )
      const text = Buffer.from(answer.Payload ?? []).toString()
      assert.equal(answer.FunctionError, undefined, `${text}\n${program.output()}`)
      assert.deepEqual(JSON.parse(text), {
        first: 'one',
        retried: 2,
        both: ['L', 'R'],
        squares: [1, 4, 9],
        plain: { doubled: 40 },
        nested: { child: 1 },
        name: 'x',
      })
      assert.match(
        answer.DurableExecutionArn ?? '',
        /^arn:aws:lambda:us-east-1:000000000000:function:flows:\$LATEST\/durable-execution\/all-of-it\/[0-9a-f-]{36}$/,
      )
      assert.deepEqual([answer.StatusCode, answer.ExecutedVersion], [200, '$LATEST'])
      const arn = answer.DurableExecutionArn ?? ''
      const execution = await describe(lambda, arn)
      assert.deepEqual(
        [
          execution.Status,
          execution.DurableExecutionName,
          execution.Version,
          execution.FunctionArn,
          execution.Result,
        ],
        [
          'SUCCEEDED',
          'all-of-it',
          '$LATEST',
          'arn:aws:lambda:us-east-1:000000000000:function:flows:$LATEST',
          text,
        ],
      )
      const history = await historyOf(lambda, arn)
      assert.deepEqual(
        history.map(({ EventId }) => EventId),
        history.map((_, index) => index + 1),
      )
      const types = new Set(history.map(({ EventType }) => EventType))
      for (const type of [
        'ExecutionStarted',
        'StepStarted',
        'StepSucceeded',
        'StepFailed',
        'WaitStarted',
        'WaitSucceeded',
        'ContextStarted',
        'ContextSucceeded',
        'ChainedInvokeStarted',
        'ChainedInvokeSucceeded',
        'InvocationCompleted',
        'ExecutionSucceeded',
      ]) {
        assert.ok(types.has(type as 'StepStarted'), `${type} is in the history`)
      }
      // Pages of the history, both ways, are the whole history.
      const paged: (number | undefined)[] = []
      let Marker: string | undefined
      do {
        const page = await lambda.send(
          new GetDurableExecutionHistoryCommand({
            DurableExecutionArn: arn,
            MaxItems: 7,
            ReverseOrder: true,
            Marker,
          }),
        )
        paged.push(...(page.Events ?? []).map(({ EventId }) => EventId))
        Marker = page.NextMarker
      } while (Marker)
      assert.deepEqual(paged, history.map(({ EventId }) => EventId).toReversed())

      // The same name and input join the execution; another input is refused.
      const again = await lambda.send(
        new InvokeCommand({
          FunctionName: FUNCTION,
          Payload: Buffer.from('{"flow":"everything","name":"x"}'),
          DurableExecutionName: 'all-of-it',
        }),
      )
      assert.deepEqual([again.DurableExecutionArn, Buffer.from(again.Payload ?? []).toString()], [arn, text])
      assert.deepEqual(await errorOf(start(lambda, { flow: 'child' }, 'all-of-it')), {
        name: 'DurableExecutionAlreadyStartedException',
        message: `Execution already started: ${arn}`,
        status: 409,
      })
    },
  )

  await t.test(
    'a function that fails: a function error for the caller, the error in the execution',
    async () => {
      const answer = await lambda.send(
        new InvokeCommand({ FunctionName: FUNCTION, Payload: Buffer.from('{"flow":"fails"}') }),
      )
      assert.equal(answer.FunctionError, 'Unhandled')
      assert.match(Buffer.from(answer.Payload ?? []).toString(), /no way/)
      const execution = await describe(lambda, answer.DurableExecutionArn ?? '')
      assert.equal(execution.Status, 'FAILED')
      assert.match(execution.Error?.ErrorMessage ?? '', /no way/)
    },
  )

  await t.test('callbacks: success, failure, heartbeat, timeout', async () => {
    const [success, failure, timeout, beaten] = await Promise.all([
      start(lambda, { flow: 'callback' }),
      start(lambda, { flow: 'callback' }),
      start(lambda, { flow: 'callback', options: { timeout: { seconds: 1 } } }),
      start(lambda, { flow: 'callback', options: { heartbeatTimeout: { seconds: 2 } } }),
    ])
    const CallbackId = await callbackIdOf(lambda, success)
    await lambda.send(
      new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: Buffer.from('"yes"') }),
    )
    const beatenId = await callbackIdOf(lambda, beaten)
    await lambda.send(new SendDurableExecutionCallbackHeartbeatCommand({ CallbackId: beatenId }))
    await lambda.send(
      new SendDurableExecutionCallbackFailureCommand({
        CallbackId: await callbackIdOf(lambda, failure),
        Error: { ErrorMessage: 'refused by hand', ErrorType: 'Refused' },
      }),
    )
    const [one, two, three, four] = await Promise.all(
      [success, failure, timeout, beaten].map((arn) => ended(lambda, arn)),
    )
    assert.deepEqual([one?.Status, one?.Result], ['SUCCEEDED', JSON.stringify({ answer: '"yes"' })])
    assert.deepEqual([two?.Status, three?.Status, four?.Status], ['FAILED', 'FAILED', 'FAILED'])
    assert.match(two?.Error?.ErrorMessage ?? '', /refused by hand/)
    assert.match(three?.Error?.ErrorMessage ?? '', /timed out/)
    assert.match(four?.Error?.ErrorMessage ?? '', /heartbeat/)
    const late = new SendDurableExecutionCallbackSuccessCommand({ CallbackId })
    assert.deepEqual(await errorOf(lambda.send(late)), {
      name: 'CallbackTimeoutException',
      message: 'The callback is either timed out or already completed',
      status: 400,
    })
  })

  await t.test(
    'a condition that is polled, a child whose result is replayed, a callback that is handed out',
    async () => {
      const arn = await start(lambda, { flow: 'more' })
      const CallbackId = await callbackIdOf(lambda, arn)
      await lambda.send(
        new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: Buffer.from('ok') }),
      )
      const execution = await ended(lambda, arn)
      assert.deepEqual(
        [execution.Error, execution.Result],
        [undefined, JSON.stringify({ polled: 3, big: 400_000, answer: 'ok' })],
      )
    },
  )

  await t.test('a state that is larger than an event: the SDK fetches the rest of it', async () => {
    const arn = await start(lambda, { flow: 'large' })
    const execution = await ended(lambda, arn)
    assert.deepEqual(
      [execution.Error, execution.Result],
      [undefined, JSON.stringify(['12500000', '22500000', '32500000'])],
    )
    const history = await lambda.send(
      new GetDurableExecutionHistoryCommand({
        DurableExecutionArn: arn,
        MaxItems: 1000,
        IncludeExecutionData: false,
      }),
    )
    const steps = history.Events?.filter(({ EventType }) => EventType === 'StepSucceeded') ?? []
    assert.deepEqual(
      steps.map(({ StepSucceededDetails }) => StepSucceededDetails?.Result),
      [{ Truncated: true }, { Truncated: true }, { Truncated: true }],
    )
  })

  await t.test('stopping, listing, and what is refused', async () => {
    const arn = await start(lambda, { flow: 'wait', seconds: 3600 }, 'to-be-stopped')
    await eventually('it waits', async () =>
      (await historyOf(lambda, arn)).find(({ EventType }) => EventType === 'WaitStarted'),
    )
    const running = await lambda.send(
      new ListDurableExecutionsByFunctionCommand({ FunctionName: 'flows', Statuses: ['RUNNING'] }),
    )
    assert.deepEqual(
      running.DurableExecutions?.map(({ DurableExecutionName }) => DurableExecutionName),
      ['to-be-stopped'],
    )
    const stopped = await lambda.send(
      new StopDurableExecutionCommand({ DurableExecutionArn: arn, Error: { ErrorMessage: 'enough' } }),
    )
    const execution = await describe(lambda, arn)
    assert.deepEqual(
      [execution.Status, execution.Error?.ErrorMessage, execution.EndTimestamp],
      ['STOPPED', 'enough', stopped.StopTimestamp],
    )
    const names: (string | undefined)[] = []
    let Marker: string | undefined
    do {
      const page = await lambda.send(
        new ListDurableExecutionsByFunctionCommand({ FunctionName: FUNCTION, MaxItems: 2, Marker }),
      )
      names.push(...(page.DurableExecutions ?? []).map(({ DurableExecutionName }) => DurableExecutionName))
      Marker = page.NextMarker
    } while (Marker)
    assert.equal(names[0], 'to-be-stopped', 'the newest is first')
    assert.equal(names.length, new Set(names).size)
    assert.ok(names.includes('all-of-it'))

    // An alias stands for the version that it names when the execution starts.
    const { Version } = await lambda.send(new PublishVersionCommand({ FunctionName: 'flows' }))
    await lambda.send(
      new CreateAliasCommand({ FunctionName: 'flows', Name: 'live', FunctionVersion: Version }),
    )
    await waitUntilPublishedVersionActive(
      { client: lambda, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
      { FunctionName: 'flows', Qualifier: Version },
    )
    const aliased = await lambda.send(
      new InvokeCommand({ FunctionName: 'flows:live', Payload: Buffer.from('{"flow":"child","n":3}') }),
    )
    assert.equal(Buffer.from(aliased.Payload ?? []).toString(), '{"child":3}')
    assert.equal(aliased.ExecutedVersion, Version)
    assert.match(aliased.DurableExecutionArn ?? '', new RegExp(`:flows:${Version}/durable-execution/`))

    assert.deepEqual(await errorOf(lambda.send(new InvokeCommand({ FunctionName: 'flows' }))), {
      name: 'InvalidParameterValueException',
      message: 'You cannot invoke a durable function using an unqualified ARN.',
      status: 400,
    })
    assert.deepEqual(
      await errorOf(
        describe(
          lambda,
          arn.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
        ),
      ),
      {
        name: 'ResourceNotFoundException',
        message: 'Durable Execution does not exist',
        status: 404,
      },
    )
  })
})

test(
  'an execution survives kill -9 in the middle of a wait, and ends after the restart',
  { skip: typeof sdk === 'string' && sdk },
  async (t) => {
    if (typeof sdk === 'string') return
    const dataDirectory = await temporaryDirectory(t)
    let program = await startProgram({ dataDirectory })
    t.after(() => program.stop())
    let lambda = lambdaClient(program.endpoint)
    await deploy(lambda, sdk)
    const arn = await start(lambda, { flow: 'wait', seconds: 4 })
    const nested = await start(lambda, { flow: 'everything' })
    const waits = await eventually('it waits', async () =>
      (await historyOf(lambda, arn)).find(({ EventType }) => EventType === 'WaitStarted'),
    )
    const before = (await historyOf(lambda, arn)).find(({ EventType }) => EventType === 'StepSucceeded')
    await program.kill9()
    program = await startProgram({ dataDirectory })
    lambda = lambdaClient(program.endpoint)
    const execution = await ended(lambda, arn)
    assert.deepEqual(
      [execution.Status, JSON.parse(execution.Result ?? 'null')],
      [
        'SUCCEEDED',
        { before: JSON.parse(before?.StepSucceededDetails?.Result?.Payload ?? 'null'), ran: 'done' },
      ],
      'the step before the wait ran once',
    )
    const until = waits.WaitStartedDetails?.ScheduledEndTimestamp?.getTime() ?? 0
    assert.ok((execution.EndTimestamp?.getTime() ?? 0) >= until, 'it waited to the end')
    assert.equal((await ended(lambda, nested)).Status, 'SUCCEEDED')
  },
)
