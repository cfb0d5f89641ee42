import assert from 'node:assert/strict'
import { test } from 'node:test'

import { systemClock } from '#kernel/clock.ts'
import { kmsModel } from '#wire/models/kms.ts'
import { snsModel } from '#wire/models/sns.ts'
import { sqsModel } from '#wire/models/sqs.ts'

import { createForeignServices } from './foreign-services.ts'

const keys = { 'sqs-endpoint': '', 'sqs-access-key-id': '', 'sqs-secret-access-key': '' }
const read = (services: string, queues = '') => [
  ...createForeignServices(
    { ...keys, services, 'sqs-endpoint': queues },
    [sqsModel, kmsModel, snsModel],
    systemClock,
  ).keys(),
]

test('foreign services: names with URLs, separated by commas; queues where mappings poll them', () => {
  assert.deepEqual(read(''), [])
  assert.deepEqual(read('sns=http://127.0.0.1:9324, kms=https://a:b%2Fc@kms.example'), ['sns', 'kms'])
  assert.deepEqual(read('', 'http://127.0.0.1:9324'), ['sqs'])
  assert.throws(() => read('s3=http://x'), /"s3" is none of kms, sns; queues: --sqs-endpoint/)
  assert.throws(() => read('sqs=http://x'), /--sqs-endpoint/)
  assert.throws(() => read('sns'), /is none of/)
  assert.throws(() => read('sns=ftp://x'), /sns needs a URL/)
})
