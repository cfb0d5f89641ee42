import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

import { ChannelClosed } from '#data-plane/runtime-api/port.ts'

import type { ManagedGuest } from '../../../test/support/managed-guest.ts'
import { startNodeGuest } from '../../../test/support/managed-guest.ts'

const CLASSIC = { AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' }
const MODERN = { AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' }

async function start(source: string, env: Readonly<Record<string, string>> = CLASSIC): Promise<ManagedGuest> {
  const guest = await startNodeGuest({ 'index.js': source })
  assert.deepEqual(await guest.init('index.handler', env), { kind: 'ready' })
  return guest
}

function parse(text: string): { errorType: string; errorMessage: string; trace: string[] } {
  return JSON.parse(text) as { errorType: string; errorMessage: string; trace: string[] }
}

const CONTEXT_CHECK = `
exports.handler = async (event, context) => ({
  event, keys: Object.keys(context).sort(), left: context.getRemainingTimeInMillis(),
  id: context.awsRequestId, name: context.functionName, version: context.functionVersion, memory: context.memoryLimitInMB,
  group: context.logGroupName, stream: context.logStreamName, arn: context.invokedFunctionArn, tenant: context.tenantId,
  custom: context.clientContext?.custom, identity: context.identity?.cognitoIdentityId,
  trace: process.env._X_AMZN_TRACE_ID ?? null, cwd: process.cwd() === __dirname, mine: process.env.MINE,
})`

for (const [name, env] of [
  ['22 and older', CLASSIC],
  ['24 and newer', MODERN],
] as const) {
  test(`node ${name}: a handler gets the event and everything of the context`, async () => {
    await using guest = await start(CONTEXT_CHECK, { ...env, MINE: 'yes' })
    const { text } = await guest.invoke(
      { a: ['é', 1] },
      {
        tenantId: 'blue',
        traceId: 'Root=1-2-3',
        clientContext: '{"custom":{"b":2}}',
        cognitoIdentity: '{"cognitoIdentityId":"me"}',
      },
    )
    const { keys, left, ...rest } = JSON.parse(text) as { keys: string[]; left: number }
    assert.ok(left > 0 && left <= 3000)
    assert.equal(keys.includes('callbackWaitsForEmptyEventLoop'), env === CLASSIC)
    assert.deepEqual(rest, {
      event: { a: ['é', 1] },
      id: 'request-1',
      name: 'hello',
      version: '$LATEST',
      memory: '128',
      group: '/aws/lambda/hello',
      stream: '2026/01/01/[$LATEST]0',
      arn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
      tenant: 'blue',
      custom: { b: 2 },
      identity: 'me',
      trace: 'Root=1-2-3',
      cwd: true,
      mine: 'yes',
    })
    const again = JSON.parse((await guest.invoke({})).text) as Record<string, unknown>
    assert.equal(again['trace'], null)
  })

  test(`node ${name}: errors of a handler become documents and one log record each`, async () => {
    await using guest = await start(
      `class Broken extends Error { constructor(m) { super(m); this.name = 'Broken'; this.code = 'E1'; this.extra = { a: 1 } } }
exports.handler = async ({ kind }) => {
  if (kind === 'throw') throw new Broken('no good')
  if (kind === 'text') throw 'just text'
  if (kind === 'big') return 1n
  if (kind === 'circle') { const a = {}; a.a = a; return a }
  return kind === 'value' ? { a: [1, null] } : undefined
}`,
      env,
    )
    assert.equal((await guest.invoke({})).text, 'null')
    assert.equal((await guest.invoke({ kind: 'value' })).text, '{"a":[1,null]}')

    const thrown = await guest.invoke({ kind: 'throw' })
    assert.deepEqual([thrown.kind, thrown.errorType], ['error', 'Broken'])
    const document = parse(thrown.text)
    assert.deepEqual(Object.keys(document), ['errorType', 'errorMessage', 'trace'])
    assert.equal(document.errorMessage, 'no good')
    assert.match(document.trace[0] ?? '', /^(Error|Broken): no good$/)
    assert.match(document.trace[1] ?? '', /index\.js:3/)
    const line = guest.logs.at(-1)?.message ?? ''
    assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\trequest-1\tERROR\tInvoke Error \t\{/)
    const logged = JSON.parse(line.slice(line.indexOf('{'))) as Record<string, unknown>
    assert.equal(logged['code'], 'E1')
    assert.deepEqual(logged['extra'], { a: 1 })
    assert.deepEqual(logged['stack'], document.trace)

    assert.deepEqual(parse((await guest.invoke({ kind: 'text' })).text), {
      errorType: 'string',
      errorMessage: 'just text',
      trace: [],
    })
    for (const kind of ['big', 'circle']) {
      const { errorType, errorMessage } = parse((await guest.invoke({ kind })).text)
      assert.equal(errorMessage, 'Unable to stringify response body')
      assert.equal(errorType, env === CLASSIC ? 'Error' : 'Runtime.JSONStringifyError')
    }
    // It has survived all that.
    assert.equal((await guest.invoke({})).text, 'null')
  })

  test(`node ${name}: a rejection that nobody handles ends the invocation and the process`, async () => {
    await using guest = await start(
      `exports.handler = async () => { Promise.reject(new Error('lost')); await new Promise((r) => setTimeout(r, 500)) }`,
      env,
    )
    const { kind, errorType, text } = await guest.invoke({})
    assert.deepEqual([kind, errorType], ['error', 'Runtime.UnhandledPromiseRejection'])
    assert.equal(parse(text).errorMessage, 'Error: lost')
    assert.match(parse(text).trace[0] ?? '', /^Runtime\.UnhandledPromiseRejection: Error: lost$/)
    assert.match(guest.logs.at(-1)?.message ?? '', /\tERROR\tUnhandled Promise Rejection \t\{"errorType"/)
    assert.equal((await guest.exited).code, 128)
  })

  test(`node ${name}: an exception outside the handler ends the invocation and the process`, async () => {
    await using guest = await start(
      `exports.handler = async () => { setTimeout(() => { throw new TypeError('late') }, 1); await new Promise((r) => setTimeout(r, 500)) }`,
      env,
    )
    const { kind, errorType } = await guest.invoke({})
    assert.deepEqual([kind, errorType], ['error', 'TypeError'])
    assert.equal((await guest.exited).code, 129)
  })

  test(`node ${name}: init errors carry AWS's names and texts, and the process ends`, async () => {
    const missing = (module: string) => `Error: Cannot find module '${module}'\nRequire stack:\n- `
    for (const [source, handler, errorType, message] of [
      ['', 'absent.handler', 'Runtime.ImportModuleError', missing('absent')],
      ["require('nothing')", 'index.handler', 'Runtime.ImportModuleError', missing('nothing')],
      ['', 'index.handler', 'Runtime.HandlerNotFound', 'index.handler is undefined or not exported'],
      ['exports.handler = 3', 'index.handler', 'Runtime.HandlerNotFound', 'index.handler is not a function'],
      ['', 'index', 'Runtime.MalformedHandlerName', 'Bad handler'],
      [
        '',
        '../index.handler',
        'Runtime.MalformedHandlerName',
        "'../index.handler' is not a valid handler name. Use absolute paths when specifying root directories in handler names.",
      ],
      ['const = 1', 'index.handler', 'Runtime.UserCodeSyntaxError', 'SyntaxError: Unexpected token'],
      ["throw new RangeError('at load')", 'index.handler', 'RangeError', 'at load'],
    ] as const) {
      await using guest = await startNodeGuest({ 'index.js': source })
      const outcome = await guest.init(handler, env)
      assert.ok(outcome.kind === 'error')
      const document = parse(Buffer.from(outcome.payload).toString())
      assert.equal(document.errorType, errorType)
      assert.equal(outcome.errorType, errorType)
      assert.ok(document.errorMessage.startsWith(message), document.errorMessage)
      assert.match(
        guest.logs.at(-1)?.message ?? '',
        env === CLASSIC ? /Z\tundefined\tERROR\tUncaught Exception \t\{/ : /Z\t-\tERROR\tInit Error \t\{/,
      )
      assert.equal((await guest.exited).code, env === CLASSIC ? 129 : 1)
    }
  })

  test(`node ${name}: a streamed response arrives whole, and its errors in the place of it`, async () => {
    await using guest = await start(
      `exports.handler = awslambda.streamifyResponse(async ({ kind }, stream, context) => {
  if (kind === 'early') throw new Error('early')
  if (kind === 'late') { stream.write('some'); throw new Error('late') }
  if (kind === 'ended') { stream.end('complete'); throw new Error('too late') }
  if (kind === 'after') { setTimeout(() => stream.write('stray'), 5); throw new Error('after') }
  if (kind === 'http') stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 })
  else stream.setContentType('text/plain')
  stream.write('one ')
  stream.write({ two: 2 })
  stream.end(Buffer.from(' three'))
})`,
      env,
    )
    assert.deepEqual(await guest.invoke({}), {
      kind: 'response',
      payload: Buffer.from('one {"two":2} three'),
      text: 'one {"two":2} three',
    })
    assert.equal(
      (await guest.invoke({ kind: 'http' })).text,
      `{"statusCode":201}${'\0'.repeat(8)}one {"two":2} three`,
    )
    assert.equal(
      (await guest.invoke({ kind: 'ended' })).text,
      'complete',
      'an error after the end is only logged',
    )
    assert.match(guest.logs.at(-1)?.message ?? '', /too late/)
    for (const kind of ['early', 'late', 'after']) {
      const failed = await guest.invoke({ kind })
      assert.equal(failed.kind, 'error')
      assert.equal(parse(failed.text).errorMessage, kind)
    }
    // What is written to a stream whose invocation is over goes nowhere.
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal((await guest.invoke({})).text, 'one {"two":2} three')
  })

  test(`node ${name}: a rejection that the module leaves unhandled fails the init`, async () => {
    await using guest = await startNodeGuest({
      'index.js': "Promise.reject(new Error('lost')); exports.handler = async () => 1",
    })
    const outcome = await guest.init('index.handler', env)
    assert.ok(outcome.kind === 'error')
    assert.equal(outcome.errorType, 'Runtime.UnhandledPromiseRejection')
    assert.equal((await guest.exited).code, 128)
  })
}

test('node 22 and older: a callback answers when the event loop is empty', async () => {
  await using guest = await start(
    `let ran
exports.handler = (event, context, callback) => {
  if (event.kind === 'state') return callback(null, ran)
  ran = false
  if (event.now) context.callbackWaitsForEmptyEventLoop = false
  setTimeout(() => { ran = true }, 40)
  if (event.kind === 'none') return
  if (event.kind === 'error') return callback(new Error('called back'))
  if (event.kind === 'done') return context.done(null, 'done')
  if (event.kind === 'fail') return context.fail()
  callback(null, { ran })
  callback(null, 'twice')
}`,
  )
  assert.equal((await guest.invoke({})).text, '{"ran":false}')
  assert.equal((await guest.invoke({ kind: 'state' })).text, 'true')
  assert.equal((await guest.invoke({ now: true })).text, '{"ran":false}')
  assert.equal((await guest.invoke({ kind: 'none' })).text, 'null')
  assert.equal(parse((await guest.invoke({ kind: 'error' })).text).errorMessage, 'called back')
  assert.equal((await guest.invoke({ kind: 'done' })).text, '"done"')
  assert.deepEqual(parse((await guest.invoke({ kind: 'fail' })).text), {
    errorType: 'string',
    errorMessage: 'handled',
    trace: [],
  })
})

test('node 22 and older: a promise that never settles is an error', async () => {
  await using guest = await start('exports.handler = async () => new Promise(() => {})')
  const { kind, errorType } = await guest.invoke({})
  assert.deepEqual([kind, errorType], ['error', 'Runtime.NodeJsExit'])
  assert.equal((await guest.invoke({})).errorType, 'Runtime.NodeJsExit')
})

test('node 24 and newer: a promise that never settles ends the process', async () => {
  await using guest = await start('exports.handler = async () => new Promise(() => {})', MODERN)
  await assert.rejects(guest.invoke({}), ChannelClosed)
  assert.equal((await guest.exited).code, 0)
})

test('node 24 and newer: callback handlers are refused', async () => {
  await using guest = await startNodeGuest({
    'index.js': 'exports.handler = (event, context, callback) => callback()',
  })
  const outcome = await guest.init('index.handler', MODERN)
  assert.ok(outcome.kind === 'error')
  assert.equal(outcome.errorType, 'Runtime.CallbackHandlerDeprecated')
  assert.match(
    Buffer.from(outcome.payload).toString(),
    /ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node\.js 24\./,
  )
})

test('node: handlers are found in folders, in ES modules, in nested objects and through NODE_PATH', async () => {
  const files = {
    'a/b/mod.mjs': `import { NAME } from 'layered'
      export const handler = async () => 'mjs ' + typeof NAME
      export const deep = { er: { handler: async () => 'deep' } }`,
    'a/b/node_modules/layered/index.js': 'exports.NAME = 1',
    'common.cjs': "exports.handler = async () => require('from-layer')",
    'opt/nodejs/node_modules/from-layer/index.js': "module.exports = 'layer'",
    'esm/package.json': '{"type":"module"}',
    'esm/file.js':
      'await Promise.resolve(); export async function handler() { return import.meta.url.slice(-11) }',
    'single.js': 'module.exports = async () => 1; module.exports.handler = module.exports',
  }
  for (const env of [CLASSIC, MODERN]) {
    for (const [handler, text] of [
      ['a/b/mod.handler', '"mjs number"'],
      ['a/b/mod.deep.er.handler', '"deep"'],
      ['common.handler', '"layer"'],
      ['esm/file.handler', '"esm/file.js"'],
      ['single.handler', '1'],
    ] as const) {
      await using guest = await startNodeGuest(files)
      const outcome = await guest.init(handler, {
        ...env,
        NODE_PATH: join(guest.taskRoot, 'opt/nodejs/node_modules'),
      })
      assert.equal(outcome.kind, 'ready', 'payload' in outcome ? Buffer.from(outcome.payload).toString() : '')
      assert.equal((await guest.invoke({})).text, text)
    }
  }
})

test('node: every call of the console is one record, in order and before the answer', async () => {
  await using guest = await start(`exports.handler = async () => {
  for (const level of ['trace', 'debug', 'log', 'info', 'warn', 'error', 'fatal']) console[level](level, { a: 1 }, 'x\\ny')
  process.stdout.write('raw\\n')
}`)
  await guest.invoke({})
  const lines = guest.logs.map(({ message }) => message.split('\t').slice(1).join('|'))
  assert.deepEqual(
    lines,
    [
      ['TRACE', 'trace'],
      ['DEBUG', 'debug'],
      ['INFO', 'log'],
      ['INFO', 'info'],
      ['WARN', 'warn'],
      ['ERROR', 'error'],
      ['FATAL', 'fatal'],
    ].map(([level, name]) => `request-1|${level}|${name} { a: 1 } x\ny`),
  )
  assert.equal(guest.logs[4]?.level, 'WARN')
  guest.session.close()
  await guest.exited
  assert.equal(guest.output(), 'raw\n')
})

test('node: JSON logs carry the request, the tenant and errors, from the level that was asked for', async () => {
  await using guest = await start(
    `exports.handler = async () => {
  console.info('hidden'); console.warn({ a: 1 }); console.error('failed', new TypeError('bad')); throw new Error('end')
}`,
    { ...MODERN, AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: 'WARN' },
  )
  await guest.invoke({}, { tenantId: 'blue' })
  const [warning, failure, end] = guest.logs.map(
    ({ message }) => JSON.parse(message) as Record<string, unknown>,
  )
  const { timestamp, ...rest } = warning ?? {}
  assert.match(String(timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.deepEqual(rest, { level: 'WARN', requestId: 'request-1', tenantId: 'blue', message: { a: 1 } })
  assert.equal(failure?.['errorType'], 'TypeError')
  assert.equal(failure['errorMessage'], 'bad')
  assert.match(String(failure['message']), /^failed TypeError: bad/)
  const ending = (end?.['message'] ?? {}) as Record<string, unknown>
  assert.equal(ending['errorMessage'], 'end')
})

test('node: what is logged right before the process ends is not lost', async () => {
  await using guest = await start(`exports.handler = async ({ code }) => {
  for (let i = 0; i < 2000; i++) console.log('x'.repeat(500))
  process.exit(code)
}`)
  await assert.rejects(guest.invoke({ code: 3 }), ChannelClosed)
  assert.equal(guest.logs.length, 2000)
  assert.equal((await guest.exited).code, 3)
})

test('node: large events and answers pass unchanged, and too large ones are refused without harm', async () => {
  await using guest = await startNodeGuest(
    { 'index.js': "exports.handler = async ({ n, text }) => text ?? 'é'.repeat(n)" },
    { maxResponseBytes: 1_000_000 },
  )
  await guest.init('index.handler', CLASSIC)
  const text = 'äöü'.repeat(150_000)
  assert.equal((await guest.invoke({ text })).text, JSON.stringify(text))
  assert.deepEqual(await guest.invoke({ n: 499_999 }).then((end) => end.kind), 'response')
  assert.deepEqual(await guest.invoke({ n: 500_000 }), { kind: 'too-large', text: '1000002' })
  assert.equal((await guest.invoke({ n: 1 })).text, '"é"')
})

test('node: work that a function leaves behind goes on while it waits', async () => {
  await using guest = await start(`let later = 0
exports.handler = async () => { setTimeout(() => { later++ }, 5); return later }`)
  assert.equal((await guest.invoke({})).text, '0')
  await new Promise((resolve) => setTimeout(resolve, 40))
  assert.equal((await guest.invoke({})).text, '1')
})

test('node: the oldest Node on this machine runs functions too', async (context) => {
  let node = ''
  try {
    node = execFileSync('/usr/bin/node', ['-p', 'process.execPath'], { encoding: 'utf8' }).trim()
  } catch {
    context.skip('no second Node')
    return
  }
  await using guest = await startNodeGuest({ 'index.mjs': 'export const handler = async (e) => e' }, { node })
  assert.deepEqual(await guest.init('index.handler', CLASSIC), { kind: 'ready' })
  assert.equal((await guest.invoke({ a: 1 })).text, '{"a":1}')
})
