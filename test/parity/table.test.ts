/** Every hand-established case of the parity table, through the real SDK against the real program. */
import { after, before, describe, test } from 'node:test'

import { zipOf } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'
import { allCases } from './all-cases.ts'
import { createSharedHandler, type SharedHandler } from './captured-client.ts'
import { regionOf, runCase } from './run-case.ts'

const manyFiles = (result: number) =>
  Object.fromEntries([
    ['index.js', `exports.handler = async () => ${result}`],
    ...Array.from({ length: 1000 }, (_, at) => [`files/${at}`, `${at}`]),
  ])

/** Speaks the protocol of durable functions itself: starts one callback, and ends when it has been answered. */
const WAITS_FOR_A_CALLBACK = `
exports.handler = async ({ DurableExecutionArn, CheckpointToken, InitialExecutionState }) => {
  const waits = InitialExecutionState.Operations.find(({ Type }) => Type === 'CALLBACK')
  if (waits && waits.Status !== 'STARTED') return { Status: 'SUCCEEDED', Result: '"answered"' }
  if (waits) return { Status: 'PENDING' }
  const { AWS_ENDPOINT_URL: endpoint, AWS_REGION: region } = process.env
  const scope = 'test/20261125/' + region + '/lambda/aws4_request'
  const answer = await fetch(
    endpoint + '/2025-12-01/durable-executions/' + encodeURIComponent(DurableExecutionArn) + '/checkpoint',
    {
      method: 'POST',
      headers: {
        authorization: 'AWS4-HMAC-SHA256 Credential=' + scope + ', SignedHeaders=host, Signature=' + '0'.repeat(64),
      },
      body: JSON.stringify({
        CheckpointToken,
        Updates: [
          { Id: '1', Name: 'answer', Type: 'CALLBACK', Action: 'START', CallbackOptions: { TimeoutSeconds: 50 } },
        ],
      }),
    },
  )
  if (!answer.ok) throw new Error(await answer.text())
  return { Status: 'PENDING' }
}`

/** Shows the token of its execution, which nobody else is told, as a tag of the function; then keeps the execution running. */
const SHOWS_ITS_TOKEN = `
exports.handler = async ({ DurableExecutionArn, CheckpointToken }) => {
  const { AWS_ENDPOINT_URL: endpoint, AWS_REGION: region } = process.env
  const scope = 'test/20261125/' + region + '/lambda/aws4_request'
  const arn = DurableExecutionArn.split(':').slice(0, 7).join(':')
  const answer = await fetch(endpoint + '/2017-03-31/tags/' + encodeURIComponent(arn), {
    method: 'POST',
    headers: {
      authorization: 'AWS4-HMAC-SHA256 Credential=' + scope + ', SignedHeaders=host, Signature=' + '0'.repeat(64),
    },
    body: JSON.stringify({ Tags: { token: CheckpointToken } }),
  })
  if (!answer.ok) throw new Error(await answer.text())
  await new Promise((resolve) => setTimeout(resolve, 30_000))
}`

describe('parity', { concurrency: 6 }, () => {
  let program: Program
  let agents: SharedHandler
  let files: Record<string, Uint8Array>

  before(async () => {
    program = await startProgram()
    agents = createSharedHandler()
    files = {
      '<zip>': await zipOf({ 'index.js': 'exports.handler = async (event) => event' }),
      '<other zip>': await zipOf({ 'index.js': 'exports.handler = async () => 2' }),
      '<durable zip>': await zipOf({
        'index.js': `exports.handler = async () => ({ Status: 'SUCCEEDED', Result: '"done"' })`,
      }),
      '<callback zip>': await zipOf({ 'index.js': WAITS_FOR_A_CALLBACK }),
      '<token zip>': await zipOf({ 'index.js': SHOWS_ITS_TOKEN }),
      '<broken zip>': await zipOf({ 'index.js': `throw new Error('not even started')` }),
      '<failing zip>': await zipOf({
        'index.js': 'exports.handler = async () => { throw new TypeError("no") }',
      }),
      '<slow zip>': await zipOf({
        'index.js': 'exports.handler = () => new Promise((resolve) => setTimeout(resolve, 30_000))',
      }),
      '<empty zip>': await zipOf({}),
      // Each is used once: a package that was prepared before is ready at once.
      '<first zip of many files>': await zipOf(manyFiles(1)),
      '<second zip of many files>': await zipOf(manyFiles(2)),
      '<third zip of many files>': await zipOf(manyFiles(3)),
      '<fourth zip of many files>': await zipOf(manyFiles(4)),
      '<fifth zip of many files>': await zipOf(manyFiles(5)),
      '<no zip>': Buffer.from('this is no zip'),
    }
  })
  after(async () => {
    agents.destroy()
    await program.stop()
  })

  for (const [index, item] of allCases.entries()) {
    test(`${item.operation}: ${item.name}`, () =>
      runCase(item, regionOf(index), { endpoint: program.endpoint, agents, files }))
  }
})
