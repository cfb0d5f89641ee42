/** Function URLs over HTTP: the event the function sees, and what its answers become. */
// parity: CreateFunctionUrlConfig
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, test } from 'node:test'

import { AddPermissionCommand, CreateFunctionUrlConfigCommand, LambdaClient } from '@aws-sdk/client-lambda'

import { createFunction, lambdaClient, makeExecutionRole } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const SOURCE = `
exports.handler = async (event) => {
  if (event.rawPath === '/fail') throw new Error('failed')
  if (event.rawPath === '/page') {
    return { statusCode: 201, headers: { 'Content-Type': 'text/html' }, cookies: ['a=1', 'b=2'], body: '<p>made</p>' }
  }
  if (event.rawPath === '/text') return 'just text'
  return event
}`
const STREAM = `
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  stream = awslambda.HttpResponseStream.from(stream, { statusCode: 203, headers: { 'content-type': 'text/plain', 'x-own': 'yes' } })
  stream.write('first ')
  stream.write('second')
  stream.end()
})`

interface Answer {
  readonly status: number | undefined
  readonly headers: NodeJS.Dict<string | string[]>
  readonly text: string
}

describe('function URLs', () => {
  let program: Program
  let lambda: LambdaClient
  let url: URL
  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
    await createFunction(lambda, { FunctionName: 'web', files: { 'index.js': SOURCE } })
    const created = await lambda.send(
      new CreateFunctionUrlConfigCommand({
        FunctionName: 'web',
        AuthType: 'NONE',
        Cors: { AllowOrigins: ['https://example.org'], AllowMethods: ['GET'] },
      }),
    )
    url = new URL(created.FunctionUrl ?? '')
  })
  after(() => program.stop())

  /** By the host name of the URL, without relying on the machine's resolver. */
  const send = (
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: string; base?: URL } = {},
  ) =>
    new Promise<Answer>((resolve, reject) => {
      const { method = 'GET', headers = {}, body, base = url } = options
      const sent = request(
        { host: '127.0.0.1', port: program.port, path, method, headers: { host: base.host, ...headers } },
        (response) => {
          let text = ''
          response.on('data', (chunk: Buffer) => (text += chunk.toString()))
          response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }))
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })

  test('the function sees the request as an event of format 2.0', async () => {
    const answer = await send('/a%2Fb?x=1&x=2', {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: 'k=v', 'X-Mixed-Case': 'yes' },
      body: '{"n":1}',
    })
    assert.equal(answer.status, 200)
    const event = JSON.parse(answer.text) as {
      rawPath: string
      queryStringParameters: object
      cookies: string[]
      headers: Record<string, string>
      body: string
      isBase64Encoded: boolean
      requestContext: { apiId: string; requestId: string; http: { method: string } }
    }
    assert.deepEqual(
      [
        event.rawPath,
        event.queryStringParameters,
        event.cookies,
        event.headers['x-mixed-case'],
        event.body,
        event.isBase64Encoded,
      ],
      ['/a%2Fb', { x: '1,2' }, ['k=v'], 'yes', '{"n":1}', false],
    )
    assert.deepEqual(
      [event.requestContext.apiId, event.requestContext.http.method],
      [url.host.split('.')[0], 'POST'],
    )
    assert.equal(event.requestContext.requestId, answer.headers['x-amzn-requestid'])
  })

  test('answers become responses: with status, headers and cookies, or inferred', async () => {
    const page = await send('/page')
    assert.deepEqual(
      [page.status, page.headers['content-type'], page.headers['set-cookie'], page.text],
      [201, 'text/html', ['a=1', 'b=2'], '<p>made</p>'],
    )
    const text = await send('/text')
    assert.deepEqual(
      [text.status, text.headers['content-type'], text.text],
      [200, 'application/json', 'just text'],
    )
    const failed = await send('/fail')
    assert.deepEqual([failed.status, failed.text], [502, 'Internal Server Error'])
  })

  test('a URL is reached by its path too, and one that does not exist is forbidden', async () => {
    const urlId = url.host.split('.')[0] ?? ''
    const response = await fetch(`${program.endpoint}/_lambent/url/${urlId}/text`)
    assert.deepEqual([response.status, await response.text()], [200, 'just text'])
    const unknown = await fetch(`${program.endpoint}/_lambent/url/${'z'.repeat(32)}/`)
    assert.equal(unknown.status, 403)
    assert.equal(unknown.headers.get('x-amzn-errortype'), 'AccessDeniedException')
    assert.match(await unknown.text(), /^{"Message":"Forbidden\. For troubleshooting/)
  })

  test('cross-origin requests are answered by the configuration', async () => {
    const preflight = await send('/page', {
      method: 'OPTIONS',
      headers: { origin: 'https://example.org', 'access-control-request-method': 'GET' },
    })
    assert.deepEqual([preflight.status, preflight.headers['access-control-allow-methods']], [200, 'GET'])
    assert.equal(
      (await send('/text', { headers: { origin: 'https://example.org' } })).headers[
        'access-control-allow-origin'
      ],
      'https://example.org',
    )
    assert.equal(
      (await send('/text', { headers: { origin: 'https://other.org' } })).headers[
        'access-control-allow-origin'
      ],
      undefined,
    )
  })

  test('a streamed response sets its head by the prelude', async () => {
    await createFunction(lambda, { FunctionName: 'streams', files: { 'index.js': STREAM } })
    const { FunctionUrl } = await lambda.send(
      new CreateFunctionUrlConfigCommand({
        FunctionName: 'streams',
        AuthType: 'NONE',
        InvokeMode: 'RESPONSE_STREAM',
      }),
    )
    const answer = await send('/', { base: new URL(FunctionUrl ?? '') })
    assert.deepEqual(
      [answer.status, answer.headers['content-type'], answer.headers['x-own'], answer.text],
      [203, 'text/plain', 'yes', 'first second'],
    )
  })
})

test("with --auth iam a URL of type NONE needs the function's policy, and AWS_IAM a signature", async (t) => {
  const secretAccessKey = 'a-secret-of-our-own'
  const program = await startProgram({ args: ['--auth=iam', `--secret-access-key=${secretAccessKey}`] })
  t.after(() => program.stop())
  const lambda = new LambdaClient({
    endpoint: program.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey },
    maxAttempts: 1,
  })
  await makeExecutionRole(program.endpoint, { accessKeyId: 'test', secretAccessKey })
  await createFunction(lambda, {
    FunctionName: 'guarded',
    files: { 'index.js': `exports.handler = async () => 'in'` },
  })
  const open = async (AuthType: 'NONE' | 'AWS_IAM', FunctionName: string) => {
    const { FunctionUrl } = await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType }))
    return `${program.endpoint}/_lambent/url/${new URL(FunctionUrl ?? '').host.split('.')[0]}/`
  }
  const url = await open('NONE', 'guarded')
  assert.equal((await fetch(url)).status, 403)
  const permit = (statement: object) =>
    lambda.send(new AddPermissionCommand({ FunctionName: 'guarded', Principal: '*', ...statement } as never))
  await permit({ StatementId: 'url', Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'NONE' })
  await permit({ StatementId: 'invoke', Action: 'lambda:InvokeFunction', InvokedViaFunctionUrl: true })
  const allowed = await fetch(url)
  assert.deepEqual([allowed.status, await allowed.text()], [200, 'in'])
  await createFunction(lambda, {
    FunctionName: 'signed',
    files: { 'index.js': `exports.handler = async () => 'in'` },
  })
  assert.equal((await fetch(await open('AWS_IAM', 'signed'))).status, 403)
})
