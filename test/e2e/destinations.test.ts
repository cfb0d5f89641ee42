/** How asynchronous invocations end: destinations and dead-letter queues, as their receivers see it. */
// parity: PutFunctionEventInvokeConfig UpdateFunctionEventInvokeConfig Invoke UpdateFunctionConfiguration
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  CreateAliasCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import { startBucket, type Bucket } from '../support/bucket.ts'
import {
  createFunction,
  eventually,
  invoke,
  lambdaClient,
  logMessages,
  logsClient,
} from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const arnOf = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`
const EVENT = { InvocationType: 'Event' } as const
const WORKS = {
  'index.js': `exports.handler = async (event) => {
    if (event.fail) throw new Error('wanted')
    return { got: event }
  }`,
}
const RECEIVES = {
  'index.js': `exports.handler = async (event) => console.log('GOT ' + JSON.stringify(event))`,
}

interface InvocationRecord {
  readonly version: string
  readonly timestamp: string
  readonly requestContext: Readonly<Record<string, unknown>>
  readonly requestPayload: unknown
  readonly responseContext?: unknown
  readonly responsePayload?: Readonly<Record<string, unknown>>
}

describe('destinations', () => {
  let program: Program
  let bucket: Bucket
  let lambda: LambdaClient
  before(async () => {
    bucket = await startBucket()
    program = await startProgram({ args: bucket.args })
    lambda = lambdaClient(program.endpoint)
    await Promise.all([
      createFunction(lambda, { FunctionName: 'receives', files: RECEIVES }),
      createFunction(lambda, { FunctionName: 'works', files: WORKS }),
    ])
  })
  after(async () => {
    await program.stop()
    bucket.close()
  })
  const received = async (requestId: string) => {
    const lines = await logMessages(logsClient(program.endpoint), 'receives')
    const line = lines.find((text) => text.includes('GOT') && text.includes(requestId))
    return line === undefined ? undefined : (JSON.parse(line.slice(line.indexOf('{'))) as InvocationRecord)
  }
  const configure = (FunctionName: string, onSuccess: string, onFailure: string, Qualifier?: string) =>
    lambda.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName,
        ...(Qualifier !== undefined && { Qualifier }),
        MaximumRetryAttempts: 0,
        DestinationConfig: {
          OnSuccess: { Destination: onSuccess },
          OnFailure: { Destination: onFailure },
        },
      }),
    )

  test('a function gets the record of a success and of a failure', async () => {
    await configure('works', arnOf('receives'), arnOf('receives'))
    const good = await invoke(lambda, 'works', { a: 1 }, EVENT)
    const bad = await invoke(lambda, 'works', { fail: 1 }, EVENT)
    const success = await eventually('the success is told', () => received(good.requestId))
    const { timestamp, ...record } = success
    assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.deepEqual(record, {
      version: '1.0',
      requestContext: {
        requestId: good.requestId,
        functionArn: `${arnOf('works')}:$LATEST`,
        condition: 'Success',
        approximateInvokeCount: 1,
      },
      requestPayload: { a: 1 },
      responseContext: { statusCode: 200, executedVersion: '$LATEST' },
      responsePayload: { got: { a: 1 } },
    })
    const failure = await eventually('the failure is told', () => received(bad.requestId))
    assert.deepEqual(
      [
        failure.requestContext['condition'],
        failure.responseContext,
        failure.responsePayload?.['errorMessage'],
      ],
      [
        'RetriesExhausted',
        { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
        'wanted',
      ],
    )
  })

  test('an alias has settings of its own, and its name in the record', async () => {
    await lambda.send(new PublishVersionCommand({ FunctionName: 'works' }))
    await lambda.send(new CreateAliasCommand({ FunctionName: 'works', Name: 'live', FunctionVersion: '1' }))
    await configure('works', arnOf('receives'), 'arn:aws:s3:::code', 'live')
    const good = await invoke(lambda, 'works', {}, { ...EVENT, Qualifier: 'live' })
    const { requestContext, responseContext } = await eventually('the success is told', () =>
      received(good.requestId),
    )
    assert.equal(requestContext['functionArn'], `${arnOf('works')}:live`)
    assert.deepEqual(responseContext, { statusCode: 200, executedVersion: '1' })
  })

  test('a bucket gets the record of a failure', async () => {
    const bad = await invoke(lambda, 'works', { fail: 2 }, { ...EVENT, Qualifier: 'live' })
    const [key, bytes] = await eventually('the object is there', () =>
      Promise.resolve([...bucket.objects].find(([name]) => name.includes('/aws/lambda/async/'))),
    )
    assert.match(
      key,
      /^\/code\/aws\/lambda\/async\/works\/\d{4}\/\d\d\/\d\d\/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{36}$/,
    )
    const record = JSON.parse(Buffer.from(bytes).toString()) as InvocationRecord
    assert.deepEqual(
      [record.requestContext['requestId'], record.requestPayload],
      [bad.requestId, { fail: 2 }],
    )
  })

  test('without concurrency nothing runs, and the destination is told at once', async () => {
    await createFunction(lambda, { FunctionName: 'closed', files: WORKS })
    await configure('closed', arnOf('receives'), arnOf('receives'))
    await lambda.send(
      new PutFunctionConcurrencyCommand({ FunctionName: 'closed', ReservedConcurrentExecutions: 0 }),
    )
    const { requestId } = await invoke(lambda, 'closed', { b: 1 }, EVENT)
    const { timestamp: _when, ...record } = await eventually('it is told', () => received(requestId))
    assert.deepEqual(record, {
      version: '1.0',
      requestContext: {
        requestId,
        functionArn: `${arnOf('closed')}:$LATEST`,
        condition: 'ZeroReservedConcurrency',
        approximateInvokeCount: 0,
      },
      requestPayload: { b: 1 },
    })
  })

  test('what a destination does not take is counted, and the event is gone', async () => {
    await createFunction(lambda, { FunctionName: 'lost', files: WORKS })
    await configure('lost', arnOf('receives'), 'arn:aws:s3:::nowhere')
    await invoke(lambda, 'lost', { fail: 1 }, EVENT)
    const metrics = await eventually('it is counted', async () => {
      const text = await (await fetch(`${program.endpoint}/_lambent/metrics`)).text()
      return text.includes('lambent_destination_delivery_failures_total 1') ? text : undefined
    })
    for (const name of [
      'lambent_async_events_received_total',
      'lambent_async_event_age_seconds',
      'lambent_async_events_dropped_total{reason="RetriesExhausted"}',
      'lambent_async_events_dropped_total{reason="ZeroReservedConcurrency"}',
    ])
      assert.ok(metrics.includes(name), name)
    await eventually('nothing is left', async () => {
      const health = await (await fetch(`${program.endpoint}/_lambent/health`)).json()
      return (health as { asyncEvents: number }).asyncEvents === 0 || undefined
    })
  })
})
