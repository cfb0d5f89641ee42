import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createImageReaders } from '#bin/image-readers.ts'

const home = { account: '000000000000', region: 'us-east-1' }
const caller = { account: '111111111111', arn: 'arn:aws:iam::111111111111:user/u', accessKeyId: 'k' }
const DIGEST = `sha256:${'0'.repeat(64)}`

test('image readers: without policies everybody has the images of the own account, and those of other registries', async () => {
  const readers = createImageReaders({ home, port: 4566, authorisation: undefined })
  for (const [uri, may] of [
    [`111111111111.dkr.ecr.us-east-1.amazonaws.com/app@${DIGEST}`, true],
    ['000000000000.dkr.ecr.us-east-1.amazonaws.com/app:v1', false],
    ['127.0.0.1:4566/app:v1', false],
    ['localhost:4566/app:v1', false],
    ['registry.example/app:v1', true],
    ['127.0.0.1:5000/app:v1', true],
    ['no name', true],
  ] as const)
    assert.equal(await readers.mayRead(caller, uri), may, uri)
})

test('image readers: with policies it is they who say so, for the repository that a name means', async () => {
  const asked: object[] = []
  const authorisation = {
    async mayReadImage(_caller: object, repository: object) {
      asked.push(repository)
      return false
    },
  }
  const readers = createImageReaders({ home, port: 4566, authorisation })
  assert.equal(await readers.mayRead(caller, '127.0.0.1:4566/team/app:v1'), false)
  assert.equal(await readers.mayRead(caller, 'registry.example/app:v1'), true)
  assert.deepEqual(asked, [{ ...home, name: 'team/app' }])
})
