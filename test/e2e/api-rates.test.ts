/** With `--api-rates aws`: what comes faster than AWS takes it is refused as AWS refuses it; by default nothing is. */
import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { after, before, describe, test } from 'node:test'

import { LambdaClient, ListFunctionsCommand, TooManyRequestsException } from '@aws-sdk/client-lambda'

import { lambdaModel } from '#wire/models/lambda.ts'

import { createClient } from '../../cli/client.ts'
import { signerFromEnvironment } from '../../cli/sign.ts'
import { documentedErrors } from '../../tools/documented-errors.ts'
import { rateCases } from '../parity/generated/rate-cases.ts'
import { sendRaw, type RawAnswer } from '../parity/generated/raw-request.ts'
import { regionOf } from '../parity/run-case.ts'
import { startProgram, type Program } from '../support/program.ts'

const AT_ONCE = 8
const TRIES = 5
const cases = rateCases(lambdaModel, Object.keys(lambdaModel.operations), (operation) =>
  documentedErrors(operation).includes('TooManyRequestsException'),
)
const clientOf = (endpoint: string, region: string, maxAttempts: number) =>
  new LambdaClient({
    endpoint,
    region,
    maxAttempts,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
const listsAtOnce = (client: LambdaClient, count: number) =>
  Promise.allSettled(Array.from({ length: count }, () => client.send(new ListFunctionsCommand({}))))

describe('API rates', () => {
  let program: Program
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  before(async () => {
    program = await startProgram({ args: ['--api-rates', 'aws'] })
  })
  after(async () => {
    agent.destroy()
    await program.stop()
  })

  test('there is a case for nearly every operation', () => assert.ok(cases.length > 70, `${cases.length}`))

  for (const [index, { operation, request, expect, perSecond }] of cases.entries()) {
    test(`${operation}: more than ${perSecond} a second`, async () => {
      const region = regionOf(index)
      const send = () => sendRaw({ port: program.port, agent, region }, request)
      // By itself: of many at once nobody knows which one comes first.
      assert.notEqual((await send()).status, 429, 'the first request is within every rate')
      let refused: RawAnswer | undefined
      for (let tried = 0; refused === undefined && tried < TRIES; tried++) {
        const answers = await Promise.all(Array.from({ length: perSecond + AT_ONCE }, send))
        refused = answers.find(({ status }) => status === 429)
      }
      assert.deepEqual(
        [refused?.status, refused?.headers['x-amzn-errortype'], JSON.parse(refused?.text ?? 'null')],
        [expect.status, expect.errorType, expect.body],
      )
    })
  }

  test('the SDK knows the error, and other regions are not touched', async () => {
    const impatient = clientOf(program.endpoint, 'eu-west-1', 1)
    const answers = await listsAtOnce(impatient, 40)
    const failures = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [answer.reason as unknown] : [],
    )
    assert.ok(failures.length > 0 && failures.length <= 25, `${failures.length} of 40 are refused`)
    for (const failure of failures) {
      assert.ok(failure instanceof TooManyRequestsException)
      assert.equal(failure.Reason, 'CallerRateLimitExceeded')
    }
    await clientOf(program.endpoint, 'eu-north-1', 1).send(new ListFunctionsCommand({}))
  })

  test("the SDK's retries get through", async () => {
    const patient = clientOf(program.endpoint, 'eu-south-1', 10)
    const answers = await listsAtOnce(patient, 25)
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set(['fulfilled']))
  })

  test('the command line waits for its turn', async () => {
    const { rest } = createClient({
      endpoint: program.endpoint,
      region: 'eu-central-1',
      sign: signerFromEnvironment({}, 'eu-central-1'),
    })
    const answers = await Promise.all(Array.from({ length: 40 }, () => rest('GET', '/2015-03-31/functions/')))
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  })
})

test('API rates: by default nothing is refused', async (t) => {
  const program = await startProgram()
  t.after(() => program.stop())
  const answers = await listsAtOnce(clientOf(program.endpoint, 'us-east-1', 1), 100)
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set(['fulfilled']))
})
