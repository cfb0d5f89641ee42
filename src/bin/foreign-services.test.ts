import assert from 'node:assert/strict'
import { test } from 'node:test'

import { systemClock } from '#kernel/clock.ts'
import { kmsModel } from '#wire/models/kms.ts'
import { sqsModel } from '#wire/models/sqs.ts'

import { readForeignServices } from './foreign-services.ts'

const read = (text: string) => [...readForeignServices(text, [sqsModel, kmsModel], systemClock).keys()]

test('foreign services: names with URLs, separated by commas', () => {
  assert.deepEqual(read(''), [])
  assert.deepEqual(read('sqs=http://127.0.0.1:9324, kms=https://a:b%2Fc@kms.example'), ['sqs', 'kms'])
  assert.throws(() => read('s3=http://x'), /"s3" is none of sqs, kms/)
  assert.throws(() => read('sqs'), /is none of/)
  assert.throws(() => read('sqs=ftp://x'), /sqs needs a URL/)
})
