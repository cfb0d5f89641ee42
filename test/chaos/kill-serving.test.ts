/** kill -9 of the serving process while functions run: everything of it goes, and the next start takes over. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createFunction, eventually, invoke, lambdaClient } from '../support/clients.ts'
import { driversHere } from '../support/drivers.ts'
import { findTraces, watchSandboxes } from '../support/leftovers.ts'
import { startProgram, temporaryDirectory } from '../support/program.ts'

const BUSY = `const { spawn } = require('node:child_process')
exports.handler = async ({ ms }) => {
  if (ms) spawn('/bin/sh', ['-c', 'trap "" TERM HUP INT; sleep 5000 & sleep 5000'], { detached: true, stdio: 'ignore' }).unref()
  return new Promise((resolve) => setTimeout(() => resolve('done'), ms))
}`

for (const { driver, whyNot } of await driversHere()) {
  test(`${driver}: kill -9 with busy and idle environments leaves nothing, and a restart works`, async (t) => {
    if (whyNot !== undefined) return t.skip(whyNot)
    const dataDirectory = await temporaryDirectory(t)
    const options = { dataDirectory, args: [`--driver=${driver}`] }
    let program = await startProgram(options)
    t.after(() => program.stop())
    const sandboxes = watchSandboxes(dataDirectory)
    let lambda = lambdaClient(program.endpoint)
    await createFunction(lambda, { FunctionName: 'busy', files: { 'index.js': BUSY }, Timeout: 60 })
    await Promise.all([invoke(lambda, 'busy', { ms: 10 }), invoke(lambda, 'busy', { ms: 10 })])
    const lost = [1, 2, 3].map(() => invoke(lambda, 'busy', { ms: 40_000 }).catch(() => 'lost'))
    // Three busy ones; without a directory for each the process driver has none to count.
    await eventually('three run', () => Promise.resolve(sandboxes.ids.size >= 3 || undefined))
    await new Promise((resolve) => setTimeout(resolve, 500))
    assert.ok(findTraces(dataDirectory, sandboxes.ids).length > 3, 'the watch sees what runs')
    await program.kill9()
    assert.deepEqual(await Promise.all(lost), ['lost', 'lost', 'lost'])
    await eventually('nothing is left', () =>
      Promise.resolve(findTraces(dataDirectory, sandboxes.ids).length === 0 || undefined),
    ).catch(() => assert.deepEqual(findTraces(dataDirectory, sandboxes.ids), []))
    sandboxes.stop()

    program = await startProgram(options)
    lambda = lambdaClient(program.endpoint)
    assert.equal((await invoke(lambda, 'busy', { ms: 0 })).payload, 'done')
  })
}

test('a spawner that is killed too leaves no more than the next start removes', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  let program = await startProgram({ dataDirectory })
  t.after(() => program.stop())
  const sandboxes = watchSandboxes(dataDirectory)
  const lambda = lambdaClient(program.endpoint)
  await createFunction(lambda, { FunctionName: 'busy', files: { 'index.js': BUSY }, Timeout: 60 })
  await invoke(lambda, 'busy', { ms: 10 })
  const spawners = findTraces(dataDirectory, new Set())
    .map((line) => /^process (\d+): .*spawner\/main/.exec(line)?.[1])
    .filter((pid) => pid !== undefined)
    .map(Number)
  assert.ok(spawners.length > 0)
  const lost = invoke(lambda, 'busy', { ms: 40_000 }).catch(() => 'lost')
  await new Promise((resolve) => setTimeout(resolve, 300))
  program.child.kill('SIGSTOP')
  for (const pid of spawners) process.kill(pid, 'SIGKILL')
  await program.kill9()
  assert.equal(await lost, 'lost')
  sandboxes.stop()
  program = await startProgram({ dataDirectory })
  assert.deepEqual(
    findTraces(dataDirectory, sandboxes.ids).filter((line) =>
      [...sandboxes.ids].some((id) => line.includes(id)),
    ),
    [],
    'the sweep at the start',
  )
  assert.equal((await invoke(lambdaClient(program.endpoint), 'busy', { ms: 0 })).payload, 'done')
  await program.stop()
  assert.deepEqual(findTraces(dataDirectory, sandboxes.ids), [])
})
