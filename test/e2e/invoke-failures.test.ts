/** Every way a function can fail, as a client sees it. Expected documents: recorded from AWS unless a test says otherwise. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import type { LambdaClient } from '@aws-sdk/client-lambda'

import { createFunction, invoke, lambdaClient } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

describe('function errors', () => {
  let program: Program
  let lambda: LambdaClient
  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
  })
  after(() => program.stop())

  const node = (name: string, source: string, more = {}) =>
    createFunction(lambda, { FunctionName: name, files: { 'index.js': source }, ...more })
  const python = (name: string, source: string, more = {}) =>
    createFunction(lambda, {
      FunctionName: name,
      files: { 'app.py': source },
      Runtime: 'python3.11',
      Handler: 'app.handler',
      ...more,
    })

  test('a thrown error in Node comes as errorType, errorMessage and trace, with status 200 and FunctionError', async () => {
    await node('throws', `exports.handler = async () => { throw new TypeError('no such thing') }`)
    const answer = await invoke(lambda, 'throws', {})
    assert.equal(answer.status, 200)
    assert.equal(answer.functionError, 'Unhandled')
    assert.equal(answer.executedVersion, '$LATEST')
    const payload = answer.payload as { errorType: string; errorMessage: string; trace: string[] }
    assert.deepEqual(Object.keys(payload), ['errorType', 'errorMessage', 'trace'])
    assert.deepEqual([payload.errorType, payload.errorMessage], ['TypeError', 'no such thing'])
    assert.equal(payload.trace[0], 'TypeError: no such thing')
    assert.match(payload.trace[1] ?? '', /at (exports\.handler|Runtime\.handler) \(.*\/index\.js:1:\d+\)/)
  })

  test('a thrown error in Python comes as errorMessage, errorType, requestId and stackTrace', async () => {
    await python('raises', `def handler(event, context):\n    raise ValueError('bad value')\n`)
    const answer = await invoke(lambda, 'raises', {})
    assert.equal(answer.functionError, 'Unhandled')
    const payload = answer.payload as { stackTrace: string[] }
    assert.deepEqual(
      { ...payload, stackTrace: undefined },
      {
        errorMessage: 'bad value',
        errorType: 'ValueError',
        requestId: answer.requestId,
        stackTrace: undefined,
      },
    )
    assert.match(
      payload.stackTrace.at(-1) ?? '',
      /^ {2}File ".*\/app\.py", line 2, in handler\n {4}raise ValueError\('bad value'\)\n$/,
    )
  })

  test('an import that fails in Python is Runtime.ImportModuleError with an empty request id', async () => {
    await python('import-error', `import nothing_of_that_name\n`)
    const { payload, functionError } = await invoke(lambda, 'import-error', {})
    assert.equal(functionError, 'Unhandled')
    assert.deepEqual(payload, {
      errorMessage: "Unable to import module 'app': No module named 'nothing_of_that_name'",
      errorType: 'Runtime.ImportModuleError',
      requestId: '',
      stackTrace: [],
    })
  })

  test('an exception while Python imports the module is reported as itself', async () => {
    await python('import-raises', `raise RuntimeError('at import')\n`)
    const { payload } = await invoke(lambda, 'import-raises', {})
    const document = payload as { errorType: string; requestId: string; errorMessage: string }
    assert.deepEqual(
      [document.errorType, document.errorMessage, document.requestId],
      ['RuntimeError', 'at import', ''],
    )
  })

  test('a handler that is not there is Runtime.HandlerNotFound, in both languages', async () => {
    await python('no-handler-python', `def other(event, context):\n    return 1\n`)
    const ofPython = (await invoke(lambda, 'no-handler-python', {})).payload as {
      errorType: string
      errorMessage: string
    }
    assert.deepEqual(
      [ofPython.errorType, ofPython.errorMessage],
      ['Runtime.HandlerNotFound', "Handler 'handler' missing on module 'app'"],
    )
    await node('no-handler-node', `exports.other = async () => 1`)
    const ofNode = (await invoke(lambda, 'no-handler-node', {})).payload as {
      errorType: string
      errorMessage: string
    }
    assert.deepEqual(
      [ofNode.errorType, ofNode.errorMessage],
      ['Runtime.HandlerNotFound', 'index.handler is undefined or not exported'],
    )
  })

  test('a missing module in Node is Runtime.ImportModuleError', async () => {
    await node('no-module', `require('nothing-of-that-name'); exports.handler = async () => 1`)
    const payload = (await invoke(lambda, 'no-module', {})).payload as {
      errorType: string
      errorMessage: string
    }
    assert.equal(payload.errorType, 'Runtime.ImportModuleError')
    assert.match(payload.errorMessage, /^Error: Cannot find module 'nothing-of-that-name'\nRequire stack:\n/)
  })

  test('leaving without a reason is Runtime.ExitError, in the handler and at init', async () => {
    const expected = (requestId: string) => ({
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${requestId} Error: Runtime exited without providing a reason`,
    })
    await python('exits', `import os\ndef handler(event, context):\n    os._exit(0)\n`)
    const inHandler = await invoke(lambda, 'exits', {})
    assert.deepEqual(inHandler.payload, expected(inHandler.requestId))
    await python('exits-at-init', `import os\nos._exit(0)\n`)
    const atInit = await invoke(lambda, 'exits-at-init', {})
    assert.equal(atInit.functionError, 'Unhandled')
    assert.deepEqual(atInit.payload, expected(atInit.requestId))
    await node('exits-node', `exports.handler = async () => { process.exit(0) }`)
    const ofNode = await invoke(lambda, 'exits-node', {})
    assert.deepEqual(ofNode.payload, expected(ofNode.requestId))
  })

  test('an exit status of a bootstrap is named', async () => {
    await createFunction(lambda, {
      FunctionName: 'bootstrap-exits',
      files: { bootstrap: { content: '#!/bin/sh\nexit 127\n', executable: true } },
      Runtime: 'provided.al2023',
      Handler: 'x',
    })
    const { payload, requestId } = await invoke(lambda, 'bootstrap-exits', {})
    assert.deepEqual(payload, {
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: exit status 127`,
    })
  })

  test('a signal is named', async () => {
    await python(
      'killed',
      `import os, signal\ndef handler(event, context):\n    os.kill(os.getpid(), signal.SIGKILL)\n`,
    )
    const { payload, requestId } = await invoke(lambda, 'killed', {})
    assert.deepEqual(payload, {
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`,
    })
  })

  test('a timeout is Sandbox.Timedout with the configured seconds, and the next invocation works', async () => {
    await node(
      'slow',
      `exports.handler = async (event) => { if (event.wait) await new Promise((r) => setTimeout(r, 60000)); return 'ok' }`,
      {
        Timeout: 1,
      },
    )
    const { payload, requestId, functionError } = await invoke(lambda, 'slow', { wait: true })
    assert.equal(functionError, 'Unhandled')
    assert.deepEqual(payload, {
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${requestId} Error: Task timed out after 1.00 seconds`,
    })
    assert.equal((await invoke(lambda, 'slow', {})).payload, 'ok')
  })

  test('too large a response is Function.ResponseSizeTooLarge', async () => {
    await node('large', `exports.handler = async (event) => 'x'.repeat(event.size)`)
    assert.deepEqual((await invoke(lambda, 'large', { size: 7_000_000 })).payload, {
      errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
      errorType: 'Function.ResponseSizeTooLarge',
    })
    const fits = await invoke(lambda, 'large', { size: 6_291_554 })
    assert.equal(fits.functionError, undefined)
    assert.equal(fits.text.length, 6_291_556)
  })

  test('filling the memory ends the environment, and the next invocation works', async (t) => {
    const health = (await (await fetch(`${program.endpoint}/_lambent/health`)).json()) as {
      enforced: { memory: boolean }
    }
    if (!health.enforced.memory) t.skip('no driver on this machine enforces memory')
    await python(
      'eats-memory',
      `def handler(event, context):\n    return len(bytearray(event['mib'] * 1024 * 1024))\n`,
      // Touching 128 MiB takes seconds with the CPU share of a function of that size.
      { Timeout: 30 },
    )
    const { payload, requestId } = await invoke(lambda, 'eats-memory', { mib: 400 })
    // Only the REPORT line calls it Runtime.OutOfMemory (recorded from AWS).
    assert.deepEqual(payload, {
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`,
    })
    assert.equal((await invoke(lambda, 'eats-memory', { mib: 1 })).payload, 1024 * 1024)
  })

  test("a result that is no JSON is the function's error", async () => {
    await python('no-json', `def handler(event, context):\n    return {1, 2}\n`)
    const payload = (await invoke(lambda, 'no-json', {})).payload as {
      errorType: string
      errorMessage: string
    }
    assert.deepEqual(
      [payload.errorType, payload.errorMessage],
      ['Runtime.MarshalError', 'Unable to marshal response: Object of type set is not JSON serializable'],
    )
  })

  test('an unhandled rejection in Node ends as Runtime.UnhandledPromiseRejection', async () => {
    await node(
      'rejects',
      `exports.handler = async () => { Promise.reject(new Error('lost')); await new Promise((r) => setTimeout(r, 1000)) }`,
    )
    const payload = (await invoke(lambda, 'rejects', {})).payload as {
      errorType: string
      errorMessage: string
    }
    assert.deepEqual(
      [payload.errorType, payload.errorMessage],
      ['Runtime.UnhandledPromiseRejection', 'Error: lost'],
    )
  })
})
