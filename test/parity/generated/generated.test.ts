/** Every generated request against the real program: the exact refusal, and nothing has changed afterwards. */
import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { after, before, describe, test } from 'node:test'

import { lambdaModel } from '#wire/models/lambda.ts'

import { zipOf } from '../../support/clients.ts'
import { startProgram, type Program } from '../../support/program.ts'
import { builtOperations } from '../../../tools/built-operations.ts'
import { createSharedHandler, type SharedHandler } from '../captured-client.ts'
import { generatedCases, type GeneratedCase } from './generated-cases.ts'
import { sendRaw, type RawAnswer } from './raw-request.ts'
import { seed, stateOf } from './whole-state.ts'

const REGION = 'us-east-1'
const AT_ONCE = 8
const operations = Object.keys(lambdaModel.operations).filter((name) =>
  builtOperations.includes(`lambda.${name}`),
)

describe('bad input of every operation', () => {
  let program: Program
  let agents: SharedHandler
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })

  before(async () => {
    program = await startProgram()
    agents = createSharedHandler()
    await seed({
      endpoint: program.endpoint,
      region: REGION,
      agents,
      zip: await zipOf({ 'index.js': 'exports.handler = async (event) => event' }),
    })
  })
  after(async () => {
    agent.destroy()
    agents.destroy()
    await program.stop()
  })

  for (const operation of operations) {
    const cases = generatedCases(lambdaModel, [operation])
    if (cases.length === 0) continue
    test(`${operation}: ${cases.length} requests`, async () => {
      const where = { endpoint: program.endpoint, region: REGION, agents }
      const beforehand = await stateOf(where)
      const wrong: unknown[] = []
      const left = cases.values()
      const one = async () => {
        for (const item of left) {
          const answer = await sendRaw({ port: program.port, agent, region: REGION }, item.request)
          const difference = compare(item, answer)
          if (difference !== undefined) wrong.push(difference)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, one))
      assert.deepEqual(wrong.slice(0, 20), [], `${wrong.length} of ${cases.length} answers are wrong`)
      assert.deepEqual(await stateOf(where), beforehand, 'something has changed')
    })
  }
})

function compare({ name, request, expect }: GeneratedCase, answer: RawAnswer): unknown {
  const { status, headers, text } = answer
  const actual = {
    status,
    errorType: headers['x-amzn-errortype'],
    body: text.startsWith('{') ? (JSON.parse(text) as unknown) : text,
    requestId: /^[0-9a-f-]{36}$/.test(headers['x-amzn-requestid'] ?? ''),
    contentType: headers['content-type'],
  }
  const wanted = {
    status: expect.status,
    errorType: expect.errorType,
    body: expect.body,
    requestId: true,
    contentType: 'application/json',
  }
  try {
    assert.deepEqual(actual, wanted)
    return undefined
  } catch {
    const { method, path } = request
    return {
      name,
      request: `${method} ${path.slice(0, 200)}`,
      actual: text.slice(0, 600),
      wanted: JSON.stringify(wanted.body).slice(0, 600),
      status,
    }
  }
}
