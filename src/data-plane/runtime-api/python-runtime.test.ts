import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { ChannelClosed } from '#data-plane/runtime-api/port.ts'

import { startPythonGuest } from '../../../test/support/managed-guest.ts'

const MANY = {
  'index.py': `
import collections, decimal, json, logging, os, sys
Point = collections.namedtuple('Point', 'x y')
def context(event, context):
    return {
        'id': context.aws_request_id, 'name': context.function_name, 'version': context.function_version,
        'memory': context.memory_limit_in_mb, 'group': context.log_group_name, 'stream': context.log_stream_name,
        'arn': context.invoked_function_arn, 'left': 0 < context.get_remaining_time_in_millis() <= 3000,
        'tenant': context.tenant_id, 'custom': context.client_context.custom,
        'title': context.client_context.client.app_title, 'identity': context.identity.cognito_identity_id,
        'trace': os.environ.get('_X_AMZN_TRACE_ID'), 'cwd': os.getcwd() == os.environ['LAMBDA_TASK_ROOT'],
    }
def fail():
    raise ValueError('no good')
def handler(event, lambda_context):
    kind = event.get('kind') if isinstance(event, dict) else None
    if kind == 'context': return context(event, lambda_context)
    if kind == 'raise': fail()
    if kind == 'set': return {1, 2}
    if kind == 'decimal': return {'a': decimal.Decimal('1.10'), 'b': [decimal.Decimal('NaN')], 'c': Point(1, 2), 'd': b'x'}
    if kind == 'bytes': return b'\\x00\\x01'
    if kind == 'unicode': return 'h\\u00e9'
    if kind == 'log':
        print('printed')
        logging.getLogger().warning('two\\nlines')
        logging.info('not shown')
    if kind == 'fork':
        print('parent', end='')
        child = os.fork()
        if child == 0:
            print('child')
            logging.getLogger().warning('child logs')
            os._exit(0)
        os.waitpid(child, 0)
    if kind == 'exit': sys.exit(event['code'])
    if kind == 'os-exit': os._exit(0)
`,
}

test('a python handler gets the event and everything of the context', async () => {
  await using guest = await startPythonGuest(MANY)
  assert.deepEqual(await guest.init('index.handler', { LAMBDA_TASK_ROOT: guest.taskRoot }), { kind: 'ready' })
  const { text } = await guest.invoke(
    { kind: 'context' },
    {
      tenantId: 'blue',
      traceId: 'Root=1-2-3',
      clientContext: '{"custom":{"a":1},"client":{"app_title":"shop"}}',
      cognitoIdentity: '{"cognitoIdentityId":"me","cognitoIdentityPoolId":"pool"}',
    },
  )
  assert.deepEqual(JSON.parse(text), {
    id: 'request-1',
    name: 'hello',
    version: '$LATEST',
    memory: '128',
    group: '/aws/lambda/hello',
    stream: '2026/01/01/[$LATEST]0',
    arn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
    left: true,
    tenant: 'blue',
    custom: { a: 1 },
    title: 'shop',
    identity: 'me',
    trace: 'Root=1-2-3',
    cwd: true,
  })
})

test('python answers and errors look as in AWS', async () => {
  await using guest = await startPythonGuest(MANY)
  await guest.init('index.handler', { AWS_EXECUTION_ENV: 'AWS_Lambda_python3.11' })
  assert.equal((await guest.invoke({})).text, 'null')
  assert.equal((await guest.invoke({ kind: 'unicode' })).text, String.raw`"h\u00e9"`)
  assert.equal((await guest.invoke({ kind: 'bytes' })).text, '\u0000\u0001')
  assert.equal(
    (await guest.invoke({ kind: 'decimal' })).text,
    '{"a": 1.10, "b": [NaN], "c": {"x": 1, "y": 2}, "d": "x"}',
  )

  const raised = await guest.invoke({ kind: 'raise' })
  assert.equal(raised.kind, 'error')
  assert.equal(raised.errorType, 'ValueError')
  const file = join(guest.taskRoot, 'index.py')
  assert.deepEqual(JSON.parse(raised.text), {
    errorMessage: 'no good',
    errorType: 'ValueError',
    requestId: 'request-1',
    stackTrace: [
      `  File "${file}", line 18, in handler\n    if kind == 'raise': fail()\n`,
      `  File "${file}", line 14, in fail\n    raise ValueError('no good')\n`,
    ],
  })
  const nbsp = '\u00a0'
  assert.equal(
    guest.logs.at(-1)?.message,
    [
      '[ERROR] ValueError: no good',
      'Traceback (most recent call last):',
      `${nbsp.repeat(2)}File "${file}", line 18, in handler`,
      `${nbsp.repeat(4)}if kind == 'raise': fail()`,
      `${nbsp.repeat(2)}File "${file}", line 14, in fail`,
      `${nbsp.repeat(4)}raise ValueError('no good')`,
    ].join('\n'),
  )

  assert.deepEqual(JSON.parse((await guest.invoke({ kind: 'set' })).text), {
    errorMessage: 'Unable to marshal response: Object of type set is not JSON serializable',
    errorType: 'Runtime.MarshalError',
    requestId: 'request-1',
    stackTrace: [],
  })
  const invalid = await guest.invoke(undefined, { payload: Buffer.from('{') })
  assert.deepEqual(JSON.parse(invalid.text), {
    errorMessage:
      'Unable to unmarshal input: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)',
    errorType: 'Runtime.UnmarshalError',
    requestId: 'request-1',
    stackTrace: [],
  })
  const notText = await guest.invoke(undefined, { payload: Buffer.from([0x87]) })
  assert.match(notText.text, /Unable to unmarshal input: 'utf-8' codec can't decode byte 0x87 in position 0/)
  const badContext = await guest.invoke({}, { clientContext: '{' })
  assert.equal(badContext.errorType, 'Runtime.LambdaContextUnmarshalError')
})

test('python 3.12 and later leave characters as they are', async () => {
  await using guest = await startPythonGuest(MANY)
  await guest.init('index.handler', { AWS_EXECUTION_ENV: 'AWS_Lambda_python3.13' })
  assert.equal((await guest.invoke({ kind: 'unicode' })).text, '"hé"')
})

test('a python log record is one event in the text format, and prints stay beside it', async () => {
  await using guest = await startPythonGuest(MANY)
  await guest.init('index.handler')
  await guest.invoke({ kind: 'log' })
  assert.equal(guest.logs.length, 1)
  assert.match(
    guest.logs[0]?.message ?? '',
    /^\[WARNING\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\trequest-1\ttwo\nlines$/,
  )
  assert.ok(Math.abs((guest.logs[0]?.timestamp ?? 0) - Date.now()) < 60_000)
  guest.session.close()
  await guest.exited
  assert.equal(guest.output(), 'printed\n')
})

test('a process that a python function forks off prints to the standard streams and leaves the channel alone', async () => {
  await using guest = await startPythonGuest(MANY)
  await guest.init('index.handler')
  assert.equal((await guest.invoke({ kind: 'fork' })).text, 'null')
  assert.equal((await guest.invoke({ kind: 'unicode' })).kind, 'response')
  guest.session.close()
  await guest.exited
  assert.equal(guest.logs.length, 0)
  assert.match(guest.output(), /^parent/)
  assert.match(guest.output(), /child\n\[WARNING\]\t\S+\trequest-1\tchild logs\n/)
})

test('python logs in JSON from the level that was asked for', async () => {
  await using guest = await startPythonGuest({
    'index.py': `
import logging
def handler(event, context):
    try: 1 / 0
    except ZeroDivisionError: logging.getLogger('mine').exception('oops', extra={'order': 7})
    logging.info('hidden')
    raise KeyError('k')
`,
  })
  await guest.init('index.handler', { AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: 'WARN' })
  await guest.invoke({}, { tenantId: 'blue' })
  const [record, error] = guest.logs.map((log) => JSON.parse(log.message) as Record<string, unknown>)
  assert.equal(guest.logs.length, 2)
  assert.match(String(record?.['timestamp']), /^\d{4}-.*\.\d{3}Z$/)
  assert.match(String(record?.['location']), /index\.py:handler:5$/)
  assert.match(String(record?.['stackTrace']), /1 \/ 0/)
  const { timestamp: _t, location: _l, stackTrace: _s, ...rest } = record ?? {}
  assert.deepEqual(rest, {
    level: 'ERROR',
    message: 'oops',
    logger: 'mine',
    errorType: 'ZeroDivisionError',
    errorMessage: 'division by zero',
    requestId: 'request-1',
    tenantId: 'blue',
    order: 7,
  })
  assert.equal(error?.['level'], 'ERROR')
  assert.equal(error?.['errorType'], 'KeyError')
  assert.equal(error?.['errorMessage'], "'k'")
})

const INIT_FAILURES: readonly {
  readonly name: string
  readonly handler: string
  readonly source: string
  readonly document: Readonly<Record<string, unknown>>
}[] = [
  {
    name: 'a missing module',
    handler: 'absent.handler',
    source: '',
    document: {
      errorMessage: "Unable to import module 'absent': No module named 'absent'",
      errorType: 'Runtime.ImportModuleError',
    },
  },
  {
    name: 'a missing dependency',
    handler: 'index.handler',
    source: 'import absent',
    document: {
      errorMessage: "Unable to import module 'index': No module named 'absent'",
      errorType: 'Runtime.ImportModuleError',
    },
  },
  {
    name: 'a missing handler',
    handler: 'index.absent',
    source: '',
    document: {
      errorMessage: "Handler 'absent' missing on module 'index'",
      errorType: 'Runtime.HandlerNotFound',
    },
  },
  {
    name: 'a handler without a dot',
    handler: 'index',
    source: '',
    document: {
      errorMessage: "Bad handler 'index': not enough values to unpack (expected 2, got 1)",
      errorType: 'Runtime.MalformedHandlerName',
    },
  },
  {
    name: 'a builtin module',
    handler: 'sys.exit',
    source: '',
    document: {
      errorMessage: 'Cannot use built-in module sys as a handler module',
      errorType: 'Runtime.BuiltInModuleConflict',
    },
  },
]

for (const { name, handler, source, document } of INIT_FAILURES) {
  test(`python: ${name} is an init error, and the process ends`, async () => {
    await using guest = await startPythonGuest({ 'index.py': source })
    const outcome = await guest.init(handler)
    assert.equal(outcome.kind, 'error')
    if (outcome.kind !== 'error') return
    assert.equal(outcome.errorType, document['errorType'])
    assert.deepEqual(JSON.parse(Buffer.from(outcome.payload).toString()), {
      ...document,
      requestId: '',
      stackTrace: [],
    })
    assert.match(guest.logs[0]?.message ?? '', /^\[WARNING\]\t\S+\t\tLAMBDA_WARNING: Unhandled exception\./)
    assert.equal((await guest.exited).code, 1)
  })
}

test('python: an exception and a syntax error at import carry their place', async () => {
  await using guest = await startPythonGuest({ 'index.py': 'x = 1\nraise NameError("oh")\n' })
  const outcome = await guest.init('index.handler')
  assert.ok(outcome.kind === 'error')
  const document = JSON.parse(Buffer.from(outcome.payload).toString()) as { stackTrace: string[] }
  assert.equal(outcome.errorType, 'NameError')
  assert.match(document.stackTrace[0] ?? '', /importlib\/__init__\.py", line \d+, in import_module/)
  assert.match(document.stackTrace.at(-1) ?? '', /index\.py", line 2, in <module>\n {4}raise NameError/)

  await using broken = await startPythonGuest({ 'index.py': 'def f(:\n' })
  const syntax = await broken.init('index.handler')
  assert.ok(syntax.kind === 'error')
  assert.equal(syntax.errorType, 'Runtime.UserCodeSyntaxError')
  const text = JSON.parse(Buffer.from(syntax.payload).toString()) as Record<string, unknown>
  assert.match(
    String(text['errorMessage']),
    /^Syntax error in module 'index': invalid syntax \(index\.py, line 1\)$/,
  )
  assert.deepEqual(text['stackTrace'], [
    `  File "${join(broken.taskRoot, 'index.py')}" Line 1\n    def f(:\n`,
  ])
})

test('python finds handlers in packages, and modules of layers after those of the function', async () => {
  await using guest = await startPythonGuest({
    'shop/orders/api.py':
      'import helper, both\ndef handler(event, context): return [helper.NAME, both.NAME]\n',
    'both.py': 'NAME = "task"\n',
    'opt/python/both.py': 'NAME = "layer"\n',
    'opt/python/helper.py': 'NAME = "layer"\n',
  })
  mkdirSync(join(guest.taskRoot, 'more'))
  writeFileSync(join(guest.taskRoot, 'more/x.py'), '')
  assert.deepEqual(await guest.init('shop/orders/api.handler'), { kind: 'ready' })
  assert.equal((await guest.invoke({})).text, '["layer", "task"]')
})

test('python: exits end the channel and keep their code', async () => {
  for (const [event, code] of [
    [{ kind: 'exit', code: 0 }, 0],
    [{ kind: 'exit', code: 7 }, 7],
    [{ kind: 'os-exit' }, 0],
  ] as const) {
    await using guest = await startPythonGuest(MANY)
    await guest.init('index.handler')
    await assert.rejects(guest.invoke(event), ChannelClosed)
    assert.equal((await guest.exited).code, code)
  }
})
