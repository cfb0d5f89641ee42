/** Asynchronous invocations that were answered 202 run, whatever happens to the process. */
import assert from 'node:assert/strict'
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { createFunction, eventually, invoke, lambdaClient } from '../support/clients.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'

const EVENTS = 10_000
const IN_FLIGHT = 64

/** Sends event `id`; true when it was acknowledged. */
async function send(program: Program, id: number): Promise<boolean> {
  try {
    const response = await fetch(`${program.endpoint}/2015-03-31/functions/record/invocations`, {
      method: 'POST',
      headers: { 'x-amz-invocation-type': 'Event' },
      body: JSON.stringify({ id }),
    })
    await response.arrayBuffer()
    return response.status === 202
  } catch {
    return false
  }
}

test('10,000 events, kill -9 in the middle, restart: every acknowledged event ran', async (t) => {
  const directory = await temporaryDirectory(t)
  const record = join(directory, 'record.txt')
  appendFileSync(record, '')
  // Plain processes, because the record must lie where nothing of the program can lose it: in a file of the test.
  const options = { dataDirectory: join(directory, 'data'), args: ['--driver=process'] }
  let program = await startProgram(options)
  t.after(() => program.stop())
  await createFunction(lambdaClient(program.endpoint), {
    FunctionName: 'record',
    files: {
      'index.js': `const { appendFileSync } = require('node:fs')
exports.handler = async (event) => { appendFileSync(process.env.RECORD, event.id + '\\n') }`,
    },
    Environment: { Variables: { RECORD: record } },
  })
  const acknowledged = new Set<number>()
  let next = 0
  let alive = true
  const sender = async () => {
    while (alive && next < EVENTS) {
      const id = next++
      if (await send(program, id)) acknowledged.add(id)
    }
  }
  const senders = Array.from({ length: IN_FLIGHT }, sender)
  await eventually('a third of the events was acknowledged', () =>
    Promise.resolve(acknowledged.size > EVENTS / 3 || undefined),
  )
  await program.kill9()
  alive = false
  await Promise.all(senders)
  const beforeRestart = acknowledged.size
  assert.ok(beforeRestart < EVENTS, 'the kill must come in the middle')

  program = await startProgram(options)
  alive = true
  await Promise.all(Array.from({ length: IN_FLIGHT }, sender))
  const missing = () => {
    const ran = new Set(readFileSync(record, 'utf8').split('\n').filter(Boolean).map(Number))
    return [...acknowledged].filter((id) => !ran.has(id))
  }
  await eventually(
    'every acknowledged event ran',
    () => Promise.resolve(missing().length === 0 || undefined),
    120_000,
  ).catch((error: unknown) => {
    assert.fail(
      `${missing().length} of ${acknowledged.size} acknowledged events never ran (${String(error)})`,
    )
  })
  t.diagnostic(`${beforeRestart} acknowledged before the kill, ${acknowledged.size} in all`)
})

test('what was created before a kill -9 is there after it, and can be invoked', async (t) => {
  const directory = await temporaryDirectory(t)
  const options = { dataDirectory: join(directory, 'data') }
  let program = await startProgram(options)
  t.after(() => program.stop())
  const created = await createFunction(lambdaClient(program.endpoint), {
    FunctionName: 'kept',
    files: { 'index.js': 'exports.handler = async () => process.env.WORD' },
    Environment: { Variables: { WORD: 'kept' } },
  })
  await program.kill9()
  program = await startProgram(options)
  const lambda = lambdaClient(program.endpoint)
  const answer = await invoke(lambda, 'kept', {})
  assert.equal(answer.payload, 'kept')
  assert.equal(created.Environment?.Variables?.['WORD'], 'kept')
})
