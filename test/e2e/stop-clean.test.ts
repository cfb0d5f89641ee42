/** How the program ends and starts again: what is in flight, what is left, and who else may have its directory. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

import { createFunction, errorOf, eventually, invoke, lambdaClient } from '../support/clients.ts'
import { findTraces, watchSandboxes } from '../support/leftovers.ts'
import { startProgram, temporaryDirectory } from '../support/program.ts'

const SLEEPS = {
  'index.js': `exports.handler = ({ ms }) => new Promise((resolve) => setTimeout(() => resolve('slept'), ms))`,
}

/** Runs the program expecting that it refuses to start. */
async function refusal(...args: string[]) {
  try {
    await promisify(execFile)(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        '--conditions=source',
        join(import.meta.dirname, '../../src/bin/serve.ts'),
        '--no-examples',
        ...args,
      ],
      { timeout: 20_000 },
    )
  } catch (error) {
    const { code, stderr, stdout } = error as { code: number; stderr: string; stdout: string }
    return { code, stderr, stdout }
  }
  throw new Error('It started')
}

test('an invocation in flight finishes within the drain, and then nothing is left', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  const program = await startProgram({ dataDirectory })
  t.after(() => program.stop())
  const sandboxes = watchSandboxes(dataDirectory)
  const lambda = lambdaClient(program.endpoint)
  await createFunction(lambda, { FunctionName: 'slow', files: SLEEPS, Timeout: 30 })
  await invoke(lambda, 'slow', { ms: 0 })
  const running = invoke(lambda, 'slow', { ms: 1500 })
  await eventually('it runs', () => Promise.resolve(sandboxes.ids.size > 0 || undefined))
  await new Promise((resolve) => setTimeout(resolve, 300))
  const gone = once(program.child, 'exit')
  program.child.kill('SIGTERM')
  assert.equal((await running).payload, 'slept')
  assert.deepEqual(await gone, [0, null], program.output())
  sandboxes.stop()
  assert.deepEqual(findTraces(dataDirectory, sandboxes.ids), [])
  const late = await fetch(program.endpoint).then(
    () => 'answered',
    () => 'refused',
  )
  assert.equal(late, 'refused')
})

test('an invocation that outlasts the drain fails for its caller, and the program ends all the same', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  const program = await startProgram({ dataDirectory })
  t.after(() => program.stop())
  const sandboxes = watchSandboxes(dataDirectory)
  const lambda = lambdaClient(program.endpoint)
  await createFunction(lambda, { FunctionName: 'slow', files: SLEEPS, Timeout: 60 })
  await invoke(lambda, 'slow', { ms: 0 })
  const running = errorOf(invoke(lambda, 'slow', { ms: 50_000 }))
  await new Promise((resolve) => setTimeout(resolve, 300))
  const gone = once(program.child, 'exit')
  program.child.kill('SIGTERM')
  const error = await running
  assert.ok(error.status === undefined || error.status >= 500, JSON.stringify(error))
  assert.deepEqual(await gone, [0, null], program.output())
  sandboxes.stop()
  assert.deepEqual(findTraces(dataDirectory, sandboxes.ids), [])
})

test('a second signal ends it at once, and still nothing is left', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  const program = await startProgram({ dataDirectory })
  t.after(() => program.stop())
  const sandboxes = watchSandboxes(dataDirectory)
  const lambda = lambdaClient(program.endpoint)
  await createFunction(lambda, { FunctionName: 'slow', files: SLEEPS, Timeout: 60 })
  await invoke(lambda, 'slow', { ms: 0 })
  const running = errorOf(invoke(lambda, 'slow', { ms: 50_000 }))
  await new Promise((resolve) => setTimeout(resolve, 300))
  const gone = once(program.child, 'exit')
  program.child.kill('SIGINT')
  await new Promise((resolve) => setTimeout(resolve, 100))
  program.child.kill('SIGINT')
  assert.deepEqual(await gone, [1, null])
  await running
  sandboxes.stop()
  await eventually('nothing is left', () =>
    Promise.resolve(findTraces(dataDirectory, sandboxes.ids).length === 0 || undefined),
  ).catch(() => assert.deepEqual(findTraces(dataDirectory, sandboxes.ids), []))
})

test('a second program on the same directory or port is refused, and disturbs nobody', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  const program = await startProgram({ dataDirectory })
  t.after(() => program.stop())
  const lambda = lambdaClient(program.endpoint)
  await createFunction(lambda, { FunctionName: 'there', files: SLEEPS })
  await invoke(lambda, 'there', { ms: 0 })

  const sameDirectory = await refusal('--port=0', `--data=${dataDirectory}`)
  assert.equal(sameDirectory.code, 1)
  assert.match(
    sameDirectory.stderr.trim(),
    new RegExp(`^The data directory "${dataDirectory}(/store)?" is in use by process ${program.child.pid}$`),
  )
  assert.equal(sameDirectory.stdout, '')

  const other = await temporaryDirectory(t)
  const samePort = await refusal(`--port=${program.port}`, `--data=${other}`)
  assert.equal(samePort.code, 1)
  assert.equal(
    samePort.stderr.trim(),
    `Port ${program.port} is taken: stop what uses it, or choose another with --port`,
  )
  assert.equal((await invoke(lambda, 'there', { ms: 0 })).payload, 'slept')
})

test('what cannot be used as a setting or a directory is said in one line', async (t) => {
  const directory = await temporaryDirectory(t)
  const unknown = await refusal('--no-such-flag')
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /--no-such-flag/)
  const range = await refusal('--port=70000')
  assert.equal(range.code, 2)
  assert.match(range.stderr, /^--port is "70000", but it takes a whole number from 0 to 65535\n/)
  const file = await refusal('--port=0', '--data=/dev/null/x')
  assert.equal(file.code, 1)
  assert.equal(file.stderr.trim().split('\n').length, 1)
  const runtime = await refusal(
    '--port=0',
    `--data=${directory}/d`,
    '--driver=oci',
    '--oci-runtime=/nonexistent/crun',
  )
  assert.equal(runtime.code, 1)
  assert.equal(runtime.stderr.trim().split('\n').at(-1)?.includes('crun'), true, runtime.stderr)
  assert.deepEqual(findTraces(join(directory, 'd'), new Set()), [])
})
