import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'

import { ECR_TOKEN_CONTEXT } from '#contracts/ecr.ts'
import { LambdaError } from '#contracts/errors.ts'
import { createSealer } from '#kernel/sealed.ts'

import { createRegistryAccess } from './registry-access.ts'
import { RegistryError } from './registry-error.ts'

const home = { account: '000000000000', region: 'us-east-1' }
const sealer = createSealer(Buffer.alloc(32, 7))
const options = { home, port: 4566, sealer, clock: { now: () => 1000 } }
const request = (headers: Readonly<Record<string, string>>) =>
  ({ headers: { host: '127.0.0.1:4566', ...headers } }) as unknown as IncomingMessage
const tokenFor = (account: string, expiresAt: number) => {
  const password = sealer.seal(JSON.stringify({ account, region: 'us-east-1', expiresAt }), ECR_TOKEN_CONTEXT)
  return { authorization: `Basic ${btoa(`AWS:${password}`)}` }
}
const refused = (code: string) => (error: unknown) => error instanceof RegistryError && error.code === code

const app = { ...home, name: 'app' }

test('registry access: with tokens, only the right account before its token ends', async () => {
  const access = createRegistryAccess({ ...options, needsToken: true })
  const own = access(request(tokenFor(home.account, 2000)))
  assert.deepEqual(own.locate('app'), app)
  await own.mayDo('PutImage', app)
  assert.throws(() => access(request({})), refused('UNAUTHORIZED'))
  assert.throws(
    () => access(request({ authorization: `Basic ${btoa('AWS:made up')}` })),
    refused('UNAUTHORIZED'),
  )
  assert.throws(
    () => access(request({ authorization: `Basic ${btoa('me:secret')}` })),
    refused('UNAUTHORIZED'),
  )
  assert.throws(() => access(request(tokenFor(home.account, 1000))), refused('DENIED'))
  await assert.rejects(
    access(request(tokenFor('111111111111', 2000))).mayDo('PutImage', app),
    refused('DENIED'),
  )
  const there = { account: '111111111111', region: 'eu-west-1', name: 'app' }
  const host = '111111111111.dkr.ecr.eu-west-1.localhost:4566'
  const others = access(request({ ...tokenFor('111111111111', 2000), host }))
  assert.deepEqual(others.locate('app'), there)
  await others.mayDo('PutImage', there)
  assert.deepEqual(own.locate('111111111111.eu-west-1/app'), there)
  await assert.rejects(own.mayDo('PutImage', there), refused('DENIED'))
  assert.deepEqual(
    access(request({ ...tokenFor(home.account, 2000), host: 'lan.example:4566' })).locate('app'),
    app,
  )
})

test('registry access: where policies decide, they are asked with whom the token was made for', async () => {
  const asked: object[] = []
  const access = createRegistryAccess({
    ...options,
    needsToken: true,
    authorise: async ({ operation, input, principal }) => {
      asked.push({ operation, input, account: principal.account })
      throw new LambdaError('AccessDeniedException', 'no', { status: 403 })
    },
  })
  const other = access({ ...request(tokenFor('111111111111', 2000)), socket: {} } as IncomingMessage)
  await assert.rejects(other.mayDo('PutImage', { ...home, name: 'team/app' }), LambdaError)
  assert.deepEqual(asked, [
    {
      operation: 'PutImage',
      input: { repositoryName: 'team/app', registryId: home.account },
      account: '111111111111',
    },
  ])
})

test('registry access: without tokens anybody but the pages of other sites', () => {
  const access = createRegistryAccess({ ...options, needsToken: false })
  assert.deepEqual(access(request({})).locate('app'), app)
  assert.deepEqual(access(request({ authorization: 'Basic whatever' })).locate('app'), app)
  assert.throws(() => access(request({ origin: 'https://evil.example' })), LambdaError)
})
