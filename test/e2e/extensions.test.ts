/** Extensions: external and internal ones, what they are told, what they hear by telemetry, and how they fail. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs'
import { DeleteFunctionCommand, PublishLayerVersionCommand, type LambdaClient } from '@aws-sdk/client-lambda'

import {
  createFunction,
  eventually,
  invoke,
  lambdaClient,
  logMessages,
  logsClient,
  zipOf,
} from '../support/clients.ts'
import { driversHere } from '../support/drivers.ts'
import { startProgram, type Program } from '../support/program.ts'

/** An extension in Python without dependencies. It registers under its file name and prints what it hears. */
const extension = (body: string) => `#!/usr/bin/python3
import http.server, json, os, sys, threading, time, urllib.request
API = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API']
NAME = os.path.basename(sys.argv[0])
def say(*words): print('ext', *words, flush=True)
def call(method, path, headers={}, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(API + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer: return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error: return error.code, dict(error.headers), error.read()
def register(events=['INVOKE', 'SHUTDOWN']):
    status, headers, body = call('POST', '/2020-01-01/extension/register',
        {'Lambda-Extension-Name': NAME, 'Lambda-Extension-Accept-Feature': 'accountId'}, {'events': events})
    say('registered', status, body.decode().strip())
    return {'Lambda-Extension-Identifier': headers['Lambda-Extension-Identifier']}
def next_event(me): return json.loads(call('GET', '/2020-01-01/extension/event/next', me)[2])
class Listener(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        for event in json.loads(self.rfile.read(int(self.headers['Content-Length']))):
            if event['type'] != 'extension': say('heard', event['type'], json.dumps(event['record']))
        self.send_response(200); self.end_headers()
    def log_message(self, *words): pass
def listen(me, types=['platform', 'function']):
    server = http.server.HTTPServer(('127.0.0.1', 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    uri = 'http://sandbox.localdomain:%d' % server.server_port
    say('subscribed', call('PUT', '/2022-07-01/telemetry', me, {'schemaVersion': '2022-12-13', 'types': types,
        'buffering': {'timeoutMs': 25}, 'destination': {'protocol': 'HTTP', 'URI': uri}})[2].decode())
def loop(me):
    while True:
        event = next_event(me)
        say(event['eventType'], event.get('requestId') or event.get('shutdownReason'), event['deadlineMs'] > time.time() * 1000)
        if event['eventType'] == 'SHUTDOWN': return
${body}
`
const ECHO = {
  'index.mjs': `export const handler = async (event) => {
  console.log('handling', event)
  if (event === 'hang') await new Promise((resolve) => setTimeout(resolve, 60_000))
  return event
}`,
}

describe('extensions', () => {
  let program: Program
  let lambda: LambdaClient
  let logs: CloudWatchLogsClient
  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
    logs = logsClient(program.endpoint)
  })
  after(() => program.stop())

  const layerOf = async (
    client: LambdaClient,
    name: string,
    files: Readonly<Record<string, { readonly content: string; readonly executable: boolean }>>,
  ) => {
    const { LayerVersionArn = '' } = await client.send(
      new PublishLayerVersionCommand({ LayerName: name, Content: { ZipFile: await zipOf(files) } }),
    )
    return [LayerVersionArn]
  }
  const deploy = async (name: string, body: string, more: { readonly Timeout?: number } = {}) => {
    const Layers = await layerOf(lambda, name, {
      [`extensions/${name}`]: { content: extension(body), executable: true },
    })
    await createFunction(lambda, { FunctionName: name, files: ECHO, Layers, Timeout: 10, ...more })
  }
  const linesOf = async (name: string) =>
    (await logMessages(logs, name)).map((line) => line.replace(/\n$/, ''))
  const untilLine = (name: string, pattern: RegExp) =>
    eventually(`a line like ${pattern.source} of ${name}`, async () => {
      const lines = await linesOf(name)
      return lines.some((line) => pattern.test(line)) ? lines : undefined
    })

  test('an external extension registers, hears every invocation and the end, and its output is logged', async () => {
    await deploy('watcher', `me = register(); loop(me)`)
    const first = await invoke(lambda, 'watcher', '"one"')
    const second = await invoke(lambda, 'watcher', '"two"')
    assert.deepEqual([first.payload, second.payload], ['one', 'two'])
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'watcher' }))
    const lines = await untilLine('watcher', /^ext SHUTDOWN/)
    const facts =
      '{"functionName": "watcher", "functionVersion": "$LATEST", "handler": "index.handler", "accountId": "000000000000"}'
    const registered = lines.find((line) => line.startsWith('ext registered 200 ')) ?? ''
    assert.deepEqual(JSON.parse(registered.slice('ext registered 200 '.length)), JSON.parse(facts))
    assert.ok(lines.includes('EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE, SHUTDOWN]'))
    const order = lines.filter((line) => /^(EXTENSION|START|ext INVOKE|ext SHUTDOWN|END)/.test(line))
    assert.deepEqual(
      order.map((line) => line.replace(/ Version.*/, '').replace(/ RequestId:/, '')),
      [
        'EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE, SHUTDOWN]',
        `START ${first.requestId}`,
        `ext INVOKE ${first.requestId} True`,
        `END ${first.requestId}`,
        `START ${second.requestId}`,
        `ext INVOKE ${second.requestId} True`,
        `END ${second.requestId}`,
        'ext SHUTDOWN spindown True',
      ],
    )
  })

  test('telemetry brings the platform’s events and the function’s lines, from the start of the init on', async () => {
    await deploy('listener', `me = register(); listen(me); loop(me)`)
    const { requestId } = await invoke(lambda, 'listener', '"one"')
    // The report comes when the environment is frozen already: the extension hears it in a later invocation, as in AWS.
    const lines = await eventually('a report that is heard', async () => {
      await invoke(lambda, 'listener', '"again"')
      const all = await linesOf('listener')
      return all.some((line) => line.startsWith('ext heard platform.report')) ? all : undefined
    })
    assert.ok(lines.includes('ext subscribed "OK"'), lines.join('\n'))
    assert.ok(lines.includes('TELEMETRY\tName: listener\tState: Subscribed\tTypes: [Platform, Function]'))
    const heard = lines.flatMap((line) => {
      const [, type, text] = /^ext heard (\S+) (.*)$/.exec(line) ?? []
      return type === undefined ? [] : [{ type, record: JSON.parse(text ?? '') as Record<string, unknown> }]
    })
    const types = heard.map(({ type }) => type)
    for (const type of [
      'platform.initStart',
      'platform.telemetrySubscription',
      'platform.initRuntimeDone',
      'platform.extension',
      'platform.initReport',
      'platform.start',
      'function',
      'platform.runtimeDone',
      'platform.report',
    ])
      assert.ok(types.includes(type), `${type} of ${types.join(' ')}`)
    const record = (type: string) => heard.find((event) => event.type === type)?.record
    assert.equal(record('platform.initStart')?.['phase'], 'init')
    assert.equal(record('platform.start')?.['requestId'], requestId)
    assert.match(String(record('function')), /\tINFO\thandling one$/)
    assert.equal(record('platform.report')?.['status'], 'success')
  })

  test('the invocation lasts until the extension is ready for the next', async () => {
    await deploy(
      'slow',
      `me = register(['INVOKE'])
while True:
    next_event(me); time.sleep(0.4); say('done')`,
    )
    const timed = async (input: object) => {
      const began = performance.now()
      const { payload } = await invoke(lambda, 'slow', 2, input)
      assert.equal(payload, 2)
      return performance.now() - began
    }
    await timed({})
    // The log is complete only then; without it AWS sends the answer as soon as the runtime has given it.
    assert.ok((await timed({ LogType: 'Tail' })) >= 400)
    assert.ok((await timed({})) < 350)
    const lines = await untilLine('slow', /^REPORT/)
    const report = lines.findLast((line) => line.startsWith('REPORT')) ?? ''
    assert.ok(Number(/\tDuration: ([\d.]+) ms/.exec(report)?.[1]) >= 400, report)
    assert.ok(lines.findLastIndex((line) => line === 'ext done') < lines.indexOf(report))
  })

  test('a timeout tells the extension, and both start anew', async () => {
    await deploy('late', `me = register(); listen(me); loop(me)`, { Timeout: 3 })
    const timeout = await invoke(lambda, 'late', '"hang"')
    assert.equal(timeout.functionError, 'Unhandled')
    assert.match(JSON.stringify(timeout.payload), /Sandbox.Timedout/)
    assert.equal((await invoke(lambda, 'late', '"again"')).payload, 'again')
    const lines = await untilLine('late', /^ext SHUTDOWN timeout True$/)
    assert.equal(lines.filter((line) => line.startsWith('ext registered 200')).length, 2)
    assert.equal(lines.filter((line) => line === 'ext subscribed "OK"').length, 2)
  })

  const FAILURES: readonly (readonly [string, string, RegExp, string])[] = [
    ['ends-early', `sys.exit(3)`, /exit status 3/, 'Extension.Crash'],
    ['ends-well', `register(); sys.exit(0)`, /exit code 0/, 'Extension.Crash'],
    [
      'reports-init',
      `me = register()
say(call('POST', '/2020-01-01/extension/init/error', {**me, 'Lambda-Extension-Function-Error-Type': 'Extension.NoConfig'}, {})[0])
sys.exit(1)`,
      /exit status 1/,
      'Extension.InitError',
    ],
    [
      'crashes',
      `me = register(['INVOKE'])
next_event(me); os._exit(7)`,
      /exit status 7/,
      'Extension.Crash',
    ],
    [
      'reports-exit',
      `me = register(['INVOKE'])
next_event(me)
call('POST', '/2020-01-01/extension/exit/error', {**me, 'Lambda-Extension-Function-Error-Type': 'Extension.Tired'}, {})
time.sleep(30)`,
      /extension reported Extension.Tired/,
      'Extension.ExitError',
    ],
  ]
  for (const [name, body, message, errorType] of FAILURES) {
    test(`an extension that ${name.replace('-', ' ')} fails the invocation as ${errorType}`, async () => {
      await deploy(name, body)
      const { payload, functionError, requestId } = await invoke(lambda, name, '"x"', { LogType: 'Tail' })
      assert.equal(functionError, 'Unhandled')
      const document = payload as { errorType: string; errorMessage: string }
      assert.equal(document.errorType, errorType, JSON.stringify(payload))
      assert.match(document.errorMessage, message)
      assert.ok(document.errorMessage.startsWith(`RequestId: ${requestId} Error: `))
    })
  }

  test('a file that may not be executed is a launch error', async () => {
    const Layers = await layerOf(lambda, 'plain', {
      'extensions/plain': { content: extension('pass'), executable: false },
    })
    await createFunction(lambda, { FunctionName: 'plain', files: ECHO, Layers })
    const { payload } = await invoke(lambda, 'plain', '"x"')
    assert.match(
      JSON.stringify(payload),
      /"Extension.LaunchError".*fork\/exec \/opt\/extensions\/plain: permission denied/,
    )
    await untilLine(
      'plain',
      /^EXTENSION\tName: plain\tState: LaunchError\tEvents: \[\]\tError Type: PermissionDenied$/,
    )
  })

  test('an internal extension of a managed runtime gets its events, and may not ask for SHUTDOWN', async () => {
    await createFunction(lambda, {
      FunctionName: 'inner',
      Runtime: 'python3.11',
      Handler: 'app.handler',
      files: {
        'app.py': `${extension('')
          .replace(/^#!.*\n/, '')
          .replace('os.path.basename(sys.argv[0])', "'inside'")}
say('refused', call('POST', '/2020-01-01/extension/register', {'Lambda-Extension-Name': NAME}, {'events': ['SHUTDOWN']})[2].decode().strip())
seen = []
me = register(['INVOKE'])
def run():
    while True: seen.append(next_event(me)['requestId'])
threading.Thread(target=run, daemon=True).start()
def handler(event, context):
    deadline = time.time() + 5
    while context.aws_request_id not in seen and time.time() < deadline: time.sleep(0.01)
    return context.aws_request_id in seen
`,
      },
    })
    assert.equal((await invoke(lambda, 'inner', 1)).payload, true)
    assert.equal((await invoke(lambda, 'inner', 2)).payload, true)
    const lines = await untilLine('inner', /^EXTENSION\tName: inside\tState: Ready\tEvents: \[INVOKE\]$/)
    assert.ok(lines.some((line) => line.includes('ShutdownEventNotSupportedForInternalExtension')))
  })
})

test('a wrapper script starts a managed runtime its own way, with another handler and other variables', async (t) => {
  const program = await startProgram()
  t.after(() => program.stop())
  const lambda = lambdaClient(program.endpoint)
  const { LayerVersionArn = '' } = await lambda.send(
    new PublishLayerVersionCommand({
      LayerName: 'wrapper',
      Content: {
        ZipFile: await zipOf({
          wrap: {
            content: `#!/bin/sh
echo "wrapping $1"
export ORIGINAL=$_HANDLER _HANDLER=wrapped.handler
exec "$@"
`,
            executable: true,
          },
        }),
      },
    }),
  )
  const Environment = { Variables: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/wrap' } }
  const Layers = [LayerVersionArn]
  await createFunction(lambda, {
    FunctionName: 'node',
    Handler: 'index.none',
    Layers,
    Environment,
    files: { 'wrapped.mjs': 'export const handler = async () => process.env.ORIGINAL' },
  })
  await createFunction(lambda, {
    FunctionName: 'python',
    Runtime: 'python3.11',
    Handler: 'index.none',
    Layers,
    Environment,
    files: { 'wrapped.py': 'import os\ndef handler(event, context): return os.environ["ORIGINAL"]' },
  })
  for (const name of ['node', 'python']) assert.equal((await invoke(lambda, name, 1)).payload, 'index.none')
  await eventually('what the wrapper printed', async () => {
    const lines = await logMessages(logsClient(program.endpoint), 'node')
    return lines.some((line) => line.startsWith('wrapping /')) ? lines : undefined
  })
  await createFunction(lambda, {
    FunctionName: 'missing',
    Environment: { Variables: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/nothing' } },
    files: ECHO,
  })
  assert.match(
    JSON.stringify((await invoke(lambda, 'missing', 1)).payload),
    /Runtime.ExitError.*exit status 127/,
  )
})

const BOOTSTRAP = `#!/bin/sh
export LD_LIBRARY_PATH=
[ -e "\${TMPDIR:-/tmp}/registered" ] && echo after || echo before
while :; do
  head=$(mktemp)
  curl -sS -o /dev/null -D "$head" "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next"
  id=$(grep -i lambda-runtime-aws-request-id "$head" | tr -d '\\r' | cut -d' ' -f2)
  curl -sS -o /dev/null -d '"ok"' "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response"
done
`
for (const { driver, whyNot } of await driversHere()) {
  test(`${driver}: an extension starts before a runtime of its own, and ends with the program`, async (t) => {
    if (whyNot !== undefined) return t.skip(whyNot)
    const program = await startProgram({ args: [`--driver=${driver}`] })
    t.after(() => program.stop())
    const lambda = lambdaClient(program.endpoint)
    const { LayerVersionArn = '' } = await lambda.send(
      new PublishLayerVersionCommand({
        LayerName: 'agent',
        Content: {
          ZipFile: await zipOf({
            'extensions/agent': {
              content: extension(
                `time.sleep(0.3)
open(os.environ.get('TMPDIR', '/tmp') + '/registered', 'w').close()
me = register(); loop(me)`,
              ),
              executable: true,
            },
          }),
        },
      }),
    )
    await createFunction(lambda, {
      FunctionName: 'own',
      Runtime: 'provided.al2023',
      Handler: 'x',
      files: { bootstrap: { content: BOOTSTRAP, executable: true } },
      Layers: [LayerVersionArn],
    })
    const { requestId, payload } = await invoke(lambda, 'own', 1)
    assert.equal(payload, 'ok')
    const lines = await eventually('the end of the invocation', async () => {
      const all = await logMessages(logsClient(program.endpoint), 'own')
      return all.some((line) => line.startsWith('REPORT')) ? all.map((line) => line.trimEnd()) : undefined
    })
    assert.ok(lines.includes('after'), lines.join('\n'))
    assert.ok(lines.includes(`ext INVOKE ${requestId} True`), lines.join('\n'))
  })
}
