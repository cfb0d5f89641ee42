import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'
import type { ServiceCall } from '#contracts/service-calls.ts'
import { systemClock } from '#kernel/clock.ts'
import { systemRandom } from '#kernel/random.ts'

import { createDoor } from './door.ts'
import { createForeignCalls } from './foreign-calls.ts'
import type { ServiceModel } from './model.ts'
import { iamModel } from './models/iam.ts'
import { kmsModel } from './models/kms.ts'
import type { OperationHandlers } from './service.ts'

const KEY = { accessKeyId: 'AKIATEST', secret: 'secret' }

async function listen(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A real door that checks signatures, as another program would be. */
const serve = (t: TestContext, model: ServiceModel, handlers: OperationHandlers) =>
  listen(
    t,
    createDoor({
      services: [{ model, handlers }],
      auth: {
        mode: 'signature',
        credentials: (id) =>
          id === KEY.accessKeyId
            ? { secret: KEY.secret, account: '1', arn: 'arn:aws:iam::1:root' }
            : undefined,
      },
      account: '000000000000',
      region: 'us-east-1',
      clock: systemClock,
      random: systemRandom,
      logger: { error() {} },
    }),
  )
const call = (service: string, operation: string, input: object): ServiceCall => ({
  service,
  operation,
  input,
  region: 'eu-west-1',
  account: '1',
  as: { servicePrincipal: 'sns.amazonaws.com', sourceArn: 'arn', sourceAccount: '1' },
})
const failureOf = (run: Promise<object>) =>
  run.then(
    () => 'none',
    (error: LambdaError) => `${error.code} ${error.status}: ${error.message}`,
  )

test('foreign calls: AWS JSON, signed, with blobs both ways, and the errors of the service', async (t) => {
  const url = await serve(t, kmsModel, {
    async Encrypt({ Plaintext, KeyId }: { Plaintext: Uint8Array; KeyId: string }) {
      if (KeyId === 'gone') throw new LambdaError('NotFoundException', 'no such key', { status: 400 })
      return { CiphertextBlob: Plaintext.toReversed(), KeyId }
    },
  } as OperationHandlers)
  const { call: send } = createForeignCalls({ model: kmsModel, url, credentials: KEY, clock: systemClock })
  const input = { KeyId: 'k', Plaintext: Buffer.from('abc') }
  const { CiphertextBlob } = (await send(call('kms', 'Encrypt', input))) as { CiphertextBlob: Uint8Array }
  assert.equal(Buffer.from(CiphertextBlob).toString(), 'cba')
  assert.equal(
    await failureOf(send(call('kms', 'Encrypt', { ...input, KeyId: 'gone' }))),
    'NotFoundException 400: no such key',
  )
})

test('foreign calls: the query protocol, lists and texts that need escaping, and its errors', async (t) => {
  const seen: object[] = []
  const url = await serve(t, iamModel, {
    async TagUser(input: object) {
      seen.push(input)
      return {}
    },
    async DeleteUser() {
      throw new LambdaError('NoSuchEntity', 'a < b & "c"', { status: 404 })
    },
  } as OperationHandlers)
  const { call: send } = createForeignCalls({ model: iamModel, url, credentials: KEY, clock: systemClock })
  const input = {
    UserName: 'ada',
    Tags: [
      { Key: 'a b', Value: 'ü=+' },
      { Key: 'd', Value: '' },
    ],
  }
  await send(call('iam', 'TagUser', input))
  assert.deepEqual(JSON.parse(JSON.stringify(seen)), [input])
  assert.equal(
    await failureOf(send(call('iam', 'DeleteUser', { UserName: 'x' }))),
    'NoSuchEntity 404: a < b & "c"',
  )
})

test('foreign calls: what does not answer, or not as a service, may be tried again', async (t) => {
  const url = await listen(t, (request, response) => {
    if (request.headers['x-amz-target'] === 'TrentService.ListKeys') response.writeHead(502).end('<html>')
  })
  const { call: send } = createForeignCalls({
    model: kmsModel,
    url,
    credentials: undefined,
    clock: systemClock,
    timeoutMs: 200,
  })
  assert.match(await failureOf(send(call('kms', 'ListKeys', {}))), /^InvalidAnswer 502/)
  assert.match(await failureOf(send(call('kms', 'ListAliases', {}))), /^ServiceUnavailable 503/)
})
