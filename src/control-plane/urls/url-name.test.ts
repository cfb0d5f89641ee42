import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { FunctionUrl } from '#contracts/function-url.ts'

import { createUrlName } from './url-name.ts'

const url: FunctionUrl = {
  account: '000000000000',
  region: 'eu-west-1',
  name: 'fn',
  urlId: 'abc',
  qualifier: '$LATEST',
  authType: 'NONE',
  invokeMode: 'BUFFERED',
  createdAt: 0,
  modifiedAt: 0,
}

test('a function URL stands below the host that the client has called', () => {
  const name = createUrlName()
  const cases = [
    ['http://127.0.0.1:4566', 'http://abc.lambda-url.eu-west-1.localhost:4566/'],
    ['http://[::1]:4566', 'http://abc.lambda-url.eu-west-1.localhost:4566/'],
    ['http://localhost:4566', 'http://abc.lambda-url.eu-west-1.localhost:4566/'],
    ['http://lambda.example.org', 'http://abc.lambda-url.eu-west-1.lambda.example.org/'],
    ['http://not a host:99999', 'http://abc.lambda-url.eu-west-1.localhost/'],
  ] as const
  for (const [endpoint, expected] of cases) assert.equal(name(url, endpoint), expected)
})

test('a template decides alone', () => {
  const name = createUrlName('https://{id}.url.{region}.example.org/')
  assert.equal(name(url, 'http://127.0.0.1:4566'), 'https://abc.url.eu-west-1.example.org/')
})
