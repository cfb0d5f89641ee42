/** What functions print, as CloudWatch Logs shows it: exact lines of the platform, both formats, the Logs API around it. */
// parity: UpdateFunctionConfiguration Invoke
// parity: logs.CreateLogGroup logs.CreateLogStream logs.DeleteLogGroup logs.DeleteLogStream
// parity: logs.DeleteRetentionPolicy logs.DescribeLogGroups logs.DescribeLogStreams logs.FilterLogEvents
// parity: logs.GetLogEvents logs.PutLogEvents logs.PutRetentionPolicy
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteLogGroupCommand,
  DeleteLogStreamCommand,
  DeleteRetentionPolicyCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  PutLogEventsCommand,
  PutRetentionPolicyCommand,
  type CloudWatchLogsClient,
} from '@aws-sdk/client-cloudwatch-logs'
import {
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
  type LambdaClient,
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
import { startProgram, type Program } from '../support/program.ts'

const ID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

describe('logs of functions', () => {
  let program: Program
  let lambda: LambdaClient
  let logs: CloudWatchLogsClient
  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
    logs = logsClient(program.endpoint)
  })
  after(() => program.stop())
  const until = (name: string, count: number) =>
    eventually(`${count} lines of ${name}`, async () => {
      const lines = await logMessages(logs, name)
      return lines.length >= count ? lines : undefined
    })
  const report = (id: string, memory: number, rest: string) =>
    new RegExp(
      `^REPORT RequestId: ${id}\\tDuration: \\d+\\.\\d\\d ms\\tBilled Duration: \\d+ ms\\tMemory Size: ${memory} MB\\tMax Memory Used: \\d+ MB\\t${rest}$`,
    )
  const checkLines = (lines: readonly string[], expected: readonly (string | RegExp)[]) => {
    assert.equal(lines.length, expected.length, lines.join('\n'))
    for (const [at, pattern] of expected.entries()) {
      const line = (lines[at] ?? '').replace(/\n$/, '')
      if (typeof pattern === 'string') assert.equal(line, pattern)
      else assert.match(line, pattern)
    }
  }

  test('Node: a cold and a warm invocation, line by line', async () => {
    await createFunction(lambda, {
      FunctionName: 'node',
      files: {
        'index.js': `console.log('at init')
exports.handler = async () => { console.log('one\\ntwo'); console.error('bad'); console.log({ a: 1 }, 'x') }`,
      },
    })
    const cold = await invoke(lambda, 'node', {})
    const warm = await invoke(lambda, 'node', {})
    const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z'
    const own = (id: string) => [
      `START RequestId: ${id} Version: $LATEST`,
      // One event, however many lines.
      new RegExp(`^${time}\\t${id}\\tINFO\\tone\\ntwo$`),
      new RegExp(`^${time}\\t${id}\\tERROR\\tbad$`),
      new RegExp(`^${time}\\t${id}\\tINFO\\t\\{ a: 1 \\} x$`),
      `END RequestId: ${id}`,
    ]
    const lines = await until('node', 14)
    checkLines(lines, [
      /^INIT_START Runtime Version: nodejs:26\.v\d+\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}$/,
      new RegExp(`^${time}\\t-\\tINFO\\tat init$`),
      ...own(cold.requestId),
      report(cold.requestId, 128, 'Init Duration: \\d+\\.\\d\\d ms\\t'),
      ...own(warm.requestId),
      report(warm.requestId, 128, ''),
    ])
    const streams = await logs.send(new DescribeLogStreamsCommand({ logGroupName: '/aws/lambda/node' }))
    assert.equal(streams.logStreams?.length, 1)
    assert.match(
      streams.logStreams?.[0]?.logStreamName ?? '',
      /^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/,
    )
  })

  test('Python: print, the logging module with its tabs, an exception as one event', async () => {
    await createFunction(lambda, {
      FunctionName: 'python',
      Runtime: 'python3.11',
      Handler: 'app.handler',
      files: {
        'app.py': `import logging
logger = logging.getLogger()
logger.setLevel(logging.INFO)
def handler(event, context):
    print('printed')
    logger.info('logged\\nin two lines')
    print('again', end='')
    raise ValueError('no')
`,
      },
    })
    const { requestId } = await invoke(lambda, 'python', {})
    const lines = await until('python', 8)
    checkLines(lines, [
      /^INIT_START Runtime Version: python:3\.11\.v\d+\t/,
      `START RequestId: ${requestId} Version: $LATEST`,
      'printed',
      new RegExp(
        `^\\[INFO\\]\\t\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z\\t${requestId}\\tlogged\\nin two lines$`,
      ),
      'again',
      /^\[ERROR\] ValueError: no\nTraceback \(most recent call last\):\n\u00a0\u00a0File "\/var\/task\/app\.py", line 8, in handler\n\u00a0\u00a0\u00a0\u00a0raise ValueError\('no'\)$/,
      `END RequestId: ${requestId}`,
      report(requestId, 128, 'Init Duration: \\d+\\.\\d\\d ms\\t'),
    ])
  })

  test('a timeout and an exit say so in the log', async () => {
    await createFunction(lambda, {
      FunctionName: 'failing',
      // Enough for the runtime to start anew within it, on a busy machine too.
      Timeout: 3,
      files: {
        'index.js': `exports.handler = (event) => event.exit ? process.exit(3) : new Promise(() => setInterval(() => {}, 1000))`,
      },
    })
    const timeout = await invoke(lambda, 'failing', {})
    const exit = await invoke(lambda, 'failing', { exit: true })
    const lines = await until('failing', 9)
    checkLines(lines.slice(1), [
      `START RequestId: ${timeout.requestId} Version: $LATEST`,
      new RegExp(`^\\S+Z ${timeout.requestId} Task timed out after 3\\.00 seconds\\n?$`),
      `END RequestId: ${timeout.requestId}`,
      report(timeout.requestId, 128, 'Init Duration: \\d+\\.\\d\\d ms\\tStatus: timeout'),
      `START RequestId: ${exit.requestId} Version: $LATEST`,
      `RequestId: ${exit.requestId} Error: Runtime exited with error: exit status 3\nRuntime.ExitError`,
      `END RequestId: ${exit.requestId}`,
      report(exit.requestId, 128, 'Status: error\tError Type: Runtime.ExitError'),
    ])
  })

  test('the JSON format: platform records, levels, and a group of its own', async () => {
    await createFunction(lambda, {
      FunctionName: 'json',
      files: {
        'index.js': `exports.handler = async () => { console.debug('hidden'); console.warn('shown', { a: 1 }); console.error(new TypeError('thrown')) }`,
      },
      LoggingConfig: {
        LogFormat: 'JSON',
        ApplicationLogLevel: 'WARN',
        SystemLogLevel: 'INFO',
        LogGroup: '/shared',
      },
    })
    const { requestId } = await invoke(lambda, 'json', {})
    const events = await eventually('the report is there', async () => {
      const page = await logs
        .send(new FilterLogEventsCommand({ logGroupName: '/shared' }))
        .catch(() => undefined)
      return page?.events?.some(({ message }) => message?.includes('platform.report'))
        ? page.events
        : undefined
    })
    const records = events.map(({ message }) => JSON.parse(message ?? '') as Record<string, unknown>)
    const types = records.map(({ type, level }) => type ?? level)
    assert.deepEqual(types, ['platform.initStart', 'platform.start', 'WARN', 'ERROR', 'platform.report'])
    const [, start, warning, failure, end] = records
    assert.equal((start?.['record'] as { requestId: string } | undefined)?.requestId, requestId)
    assert.equal(warning?.['requestId'], requestId)
    assert.match(String(warning?.['timestamp']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.match(JSON.stringify(failure), /TypeError/)
    const record = end?.['record'] as { status: string; metrics: Record<string, number> }
    assert.equal(record.status, 'success')
    assert.deepEqual(Object.keys(record.metrics), [
      'durationMs',
      'billedDurationMs',
      'memorySizeMB',
      'maxMemoryUsedMB',
      'initDurationMs',
    ])
    assert.match(events[0]?.logStreamName ?? '', /^\d{4}\/\d\d\/\d\d\/json\[\$LATEST\][0-9a-f]{32}$/)
    await lambda.send(
      new UpdateFunctionConfigurationCommand({ FunctionName: 'json', LoggingConfig: { LogFormat: 'Text' } }),
    )
    await waitUntilFunctionUpdatedV2(
      { client: lambda, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
      { FunctionName: 'json' },
    )
    const later = await invoke(lambda, 'json', {}, { LogType: 'Tail' })
    assert.match(later.log, new RegExp(`^START RequestId: ${ID} Version`))
  })

  test('many lines keep their order, and a very long line comes in pieces that fit', async () => {
    await createFunction(lambda, {
      FunctionName: 'many',
      MemorySize: 1024,
      Timeout: 20,
      files: {
        // Written with write(2): what Node still has in its own buffers when the handler returns may come later.
        'index.js': `const { writeSync } = require('node:fs')
exports.handler = async ({ count }) => {
  let text = ''
  for (let at = 0; at < count; at++) text += 'line ' + at + '\\n'
  const bytes = Buffer.from(text + 'x'.repeat(600_000) + '\\nlast\\n')
  for (let done = 0; done < bytes.length;) done += writeSync(1, bytes, done)
}`,
      },
    })
    await invoke(lambda, 'many', { count: 12_000 })
    const lines = await until('many', 12_008)
    const numbered = lines.filter((line) => line.startsWith('line '))
    assert.deepEqual(
      numbered,
      Array.from({ length: 12_000 }, (_, at) => `line ${at}`),
    )
    const long = lines.filter((line) => /^x+$/.test(line))
    assert.equal(long.join('').length, 600_000)
    assert.ok(long.every((line) => Buffer.byteLength(line) <= 262_144))
    assert.equal(lines[lines.indexOf('last') + 1]?.startsWith('END '), true)
  })

  test('filter patterns and pages over what functions printed', async () => {
    const group = '/aws/lambda/many'
    const page = await logs.send(new FilterLogEventsCommand({ logGroupName: group, limit: 1000 }))
    assert.equal(page.events?.length, 1000)
    assert.ok(page.nextToken)
    const found = async (filterPattern: string) => {
      const messages: string[] = []
      let nextToken: string | undefined
      do {
        const next = await logs.send(
          new FilterLogEventsCommand({ logGroupName: group, filterPattern, nextToken }),
        )
        messages.push(...(next.events ?? []).map(({ message }) => (message ?? '').trim()))
        nextToken = next.nextToken
      } while (nextToken !== undefined)
      return messages
    }
    assert.deepEqual(await found('"line 11999"'), ['line 11999'])
    assert.deepEqual(await found('last'), ['last'])
    assert.equal((await found('"line 119" -"line 1190"')).length, 100)
    assert.deepEqual(await found('"nothing-like-this"'), [])
    const bad = await errorOf(found('{ $.a = '))
    assert.deepEqual([bad.name, bad.status], ['InvalidParameterException', 400])
  })

  test('groups, streams, events and retention of its own', async () => {
    const logGroupName = 'own/group'
    await logs.send(new CreateLogGroupCommand({ logGroupName, tags: { a: 'b' } }))
    assert.equal(
      (await errorOf(logs.send(new CreateLogGroupCommand({ logGroupName })))).name,
      'ResourceAlreadyExistsException',
    )
    const logStreamName = 'stream'
    await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }))
    const now = Date.now()
    const logEvents = Array.from({ length: 25 }, (_, at) => ({
      timestamp: now - 1000 + at,
      message: `{"n":${at},"word":"w${at % 2}"}`,
    }))
    const put = await logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }))
    assert.ok(put.nextSequenceToken)
    const unordered = await errorOf(
      logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents: logEvents.toReversed() })),
    )
    assert.equal(unordered.name, 'InvalidParameterException')
    const forward: string[] = []
    let nextToken: string | undefined
    for (;;) {
      const page = await logs.send(
        new GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true, limit: 10, nextToken }),
      )
      forward.push(...(page.events ?? []).map(({ message }) => message ?? ''))
      if (page.nextForwardToken === nextToken) break
      nextToken = page.nextForwardToken
    }
    assert.deepEqual(
      forward,
      logEvents.map(({ message }) => message),
    )
    const last = await logs.send(new GetLogEventsCommand({ logGroupName, logStreamName, limit: 2 }))
    assert.deepEqual(
      last.events?.map(({ message }) => message),
      logEvents.slice(-2).map(({ message }) => message),
    )
    const filtered = await logs.send(
      new FilterLogEventsCommand({ logGroupName, filterPattern: '{ $.n >= 20 && $.word = "w0" }' }),
    )
    assert.equal(filtered.events?.length, 3)

    await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 7 }))
    const described = async () =>
      (await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName }))).logGroups?.[0]
    assert.equal((await described())?.retentionInDays, 7)
    assert.equal(
      (await errorOf(logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 8 })))).name,
      'InvalidParameterException',
    )
    await logs.send(new DeleteRetentionPolicyCommand({ logGroupName }))
    assert.equal((await described())?.retentionInDays, undefined)
    await logs.send(new DeleteLogStreamCommand({ logGroupName, logStreamName }))
    assert.equal((await logs.send(new DescribeLogStreamsCommand({ logGroupName }))).logStreams?.length, 0)
    await logs.send(new DeleteLogGroupCommand({ logGroupName }))
    assert.equal(await described(), undefined)
    const gone = await errorOf(logs.send(new FilterLogEventsCommand({ logGroupName })))
    assert.deepEqual(
      [gone.name, gone.message],
      ['ResourceNotFoundException', 'The specified log group does not exist.'],
    )
  })

  test("a function's group that is deleted comes back with its next line", async () => {
    await logs.send(new DeleteLogGroupCommand({ logGroupName: '/aws/lambda/node' }))
    assert.deepEqual(await logMessages(logs, 'node'), [])
    const { requestId } = await invoke(lambda, 'node', {})
    const lines = await until('node', 6)
    assert.equal(lines[0], `START RequestId: ${requestId} Version: $LATEST`)
  })

  test('logs survive a restart of the program', async () => {
    const before_ = await logMessages(logs, 'python')
    const { dataDirectory } = program
    await program.kill9()
    program = await startProgram({ dataDirectory })
    lambda = lambdaClient(program.endpoint)
    logs = logsClient(program.endpoint)
    assert.deepEqual(await logMessages(logs, 'python'), before_)
    await invoke(lambda, 'python', {})
    await until('python', before_.length + 7)
  })
})
