/** The same small life of a function under every sandbox driver that this machine has. */
// parity: Invoke
import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  createFunction,
  invoke,
  lambdaClient,
  logMessages,
  logsClient,
  eventually,
} from '../support/clients.ts'
import { driversHere } from '../support/drivers.ts'
import { findTraces, watchSandboxes } from '../support/leftovers.ts'
import { startProgram, temporaryDirectory } from '../support/program.ts'

const BOOTSTRAP = `#!/bin/sh
set -eu
export LD_LIBRARY_PATH=
while :; do
  head=$(mktemp)
  event=$(curl -sS -D "$head" "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next")
  id=$(grep -i lambda-runtime-aws-request-id "$head" | tr -d '\\r' | cut -d' ' -f2)
  curl -sS -o /dev/null -d "$event" "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response"
done
`
const PYTHON = `import os, urllib.request
def handler(event, context):
    if event == 'exit':
        os._exit(9)
    if event == 'lambda':
        with urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL'] + '/2015-03-31/functions/') as answer:
            return answer.status
    with open('/tmp/mark' if 'TMPDIR' not in os.environ else os.environ['TMPDIR'] + '/mark', 'a') as file:
        file.write('x')
        return [event, file.tell(), sorted(os.listdir(os.environ['LAMBDA_TASK_ROOT'])), os.environ['WORD']]
`

for (const { driver, whyNot } of await driversHere()) {
  test(`${driver}: Node, Python and a runtime of its own work, errors are AWS's, and nothing is left`, async (t) => {
    if (whyNot !== undefined) return t.skip(whyNot)
    const dataDirectory = await temporaryDirectory(t)
    const program = await startProgram({ dataDirectory, args: [`--driver=${driver}`] })
    t.after(() => program.stop())
    const sandboxes = watchSandboxes(dataDirectory)
    const health = (await (await fetch(`${program.endpoint}/_lambent/health`)).json()) as { driver: string }
    assert.equal(health.driver, driver)
    const lambda = lambdaClient(program.endpoint)
    await Promise.all([
      createFunction(lambda, {
        FunctionName: 'node',
        files: {
          'index.mjs': `import { readFileSync } from 'node:fs'
export const handler = async (event, context) => {
  if (event === 'hang') return new Promise(() => setInterval(() => {}, 1000))
  console.log('seen', event)
  return [event, readFileSync(process.env.LAMBDA_TASK_ROOT + '/data.txt', 'utf8'), context.functionName, Object.keys(process.env).filter((name) => /LAMBENT|HOME|USER|SUDO/.test(name))]
}`,
          'data.txt': 'data',
        },
        Timeout: 2,
        MemorySize: 512,
      }),
      createFunction(lambda, {
        FunctionName: 'python',
        Runtime: 'python3.11',
        Handler: 'app.handler',
        files: { 'app.py': PYTHON, 'other.txt': '' },
        Environment: { Variables: { WORD: 'word' } },
        Timeout: 10,
      }),
      createFunction(lambda, {
        FunctionName: 'custom',
        Runtime: 'provided.al2023',
        files: { bootstrap: { content: BOOTSTRAP, executable: true } },
        MemorySize: 512,
        Timeout: 10,
      }),
    ])
    assert.deepEqual((await invoke(lambda, 'node', '"ü"')).payload, ['ü', 'data', 'node', []])
    assert.deepEqual((await invoke(lambda, 'python', '1')).payload, [1, 1, ['app.py', 'other.txt'], 'word'])
    // /tmp stays with the environment, also when the runtime had to be started again.
    assert.deepEqual((await invoke(lambda, 'python', '2')).payload, [2, 2, ['app.py', 'other.txt'], 'word'])
    const exit = await invoke(lambda, 'python', '"exit"')
    assert.deepEqual(
      [exit.functionError, exit.payload],
      [
        'Unhandled',
        {
          errorType: 'Runtime.ExitError',
          errorMessage: `RequestId: ${exit.requestId} Error: Runtime exited with error: exit status 9`,
        },
      ],
    )
    assert.deepEqual((await invoke(lambda, 'python', '3')).payload, [3, 3, ['app.py', 'other.txt'], 'word'])
    assert.equal((await invoke(lambda, 'python', '"lambda"')).payload, 200)
    assert.deepEqual((await invoke(lambda, 'custom', { custom: [1, 2] })).payload, { custom: [1, 2] })
    const hang = await invoke(lambda, 'node', '"hang"')
    assert.deepEqual(
      [hang.functionError, hang.payload],
      [
        'Unhandled',
        {
          errorType: 'Sandbox.Timedout',
          errorMessage: `RequestId: ${hang.requestId} Error: Task timed out after 2.00 seconds`,
        },
      ],
    )
    assert.equal((await invoke(lambda, 'node', '4')).functionError, undefined)
    const logs = logsClient(program.endpoint)
    await eventually('the log is there', async () =>
      (await logMessages(logs, 'node')).some((line) => line.includes('\tINFO\tseen 4')) ? true : undefined,
    )
    await program.stop()
    sandboxes.stop()
    assert.ok(sandboxes.ids.size >= 3)
    assert.deepEqual(findTraces(dataDirectory, sandboxes.ids), [])
  })
}
