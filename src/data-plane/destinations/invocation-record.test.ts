import assert from 'node:assert/strict'
import { it } from 'node:test'

import { deadLetterAttributes, deadLetterBody } from './dead-letter.ts'
import { invocationRecord, recordKey } from './invocation-record.ts'
import type { AsyncOutcome } from './port.ts'

const NOW = Date.UTC(2026, 2, 4, 5, 6, 7, 89)
const outcome = (over: Partial<AsyncOutcome> = {}): AsyncOutcome => ({
  event: {
    target: { account: '111122223333', region: 'eu-west-1', name: 'f' },
    qualifier: undefined,
    requestId: 'r-1',
    payload: Buffer.from('{"a":1.0, "b":"ü"}'),
    acceptedAt: NOW,
    functionErrors: 3,
    attempts: 5,
  },
  condition: 'RetriesExhausted',
  answer: {
    statusCode: 200,
    executedVersion: '$LATEST',
    functionError: 'Unhandled',
    payload: Buffer.from('{"errorMessage":"no","errorType":"E"}'),
  },
  ...over,
})
const success = outcome({
  condition: 'Success',
  answer: { statusCode: 200, executedVersion: '7', payload: Buffer.from('null') },
})

it('a record of a failure has the members that were recorded from AWS, payloads as they were sent', () => {
  assert.equal(
    invocationRecord(outcome(), NOW),
    '{"version":"1.0","timestamp":"2026-03-04T05:06:07.089Z","requestContext":{"requestId":"r-1","functionArn":"arn:aws:lambda:eu-west-1:111122223333:function:f:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":3},"requestPayload":{"a":1.0, "b":"ü"},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorMessage":"no","errorType":"E"}}',
  )
})

it('a record of a success names the qualifier of the request and has no error', () => {
  const { event } = success
  const record = JSON.parse(
    invocationRecord({ ...success, event: { ...event, qualifier: 'live', functionErrors: 0 } }, NOW),
  ) as Record<string, unknown>
  assert.deepEqual(record['requestContext'], {
    requestId: 'r-1',
    functionArn: 'arn:aws:lambda:eu-west-1:111122223333:function:f:live',
    condition: 'Success',
    approximateInvokeCount: 1,
  })
  assert.deepEqual(record['responseContext'], { statusCode: 200, executedVersion: '7' })
  assert.equal(record['responsePayload'], null)
})

it('what never ran has no response, what was refused has its status', () => {
  const { event } = outcome()
  const never = { ...event, functionErrors: 0 }
  const members = (given: AsyncOutcome) =>
    Object.keys(JSON.parse(invocationRecord(given, NOW)) as object).slice(3)
  assert.deepEqual(members({ event: never, condition: 'ZeroReservedConcurrency', answer: undefined }), [
    'requestPayload',
  ])
  const refused = invocationRecord(
    { event: never, condition: 'EventAgeExceeded', answer: { statusCode: 429, message: 'Rate Exceeded.' } },
    NOW,
  )
  assert.match(refused, /"approximateInvokeCount":0\},.*,"responseContext":\{"statusCode":429\}\}$/)
})

it('an answer that is no JSON does not spoil the record', () => {
  const record = JSON.parse(
    invocationRecord({ ...success, answer: { statusCode: 200, payload: Buffer.from('<html>') } }, NOW),
  ) as Record<string, unknown>
  assert.deepEqual(record['deliveryError'], {
    statusCode: 400,
    errorCode: 'InvalidRequestContentException',
    errorMessage: 'The function response payload could not be parsed as JSON.',
  })
  assert.equal('responsePayload' in record, false)
})

it('names objects of a bucket by function and time', () => {
  assert.equal(recordKey(outcome(), NOW, 'uuid'), 'aws/lambda/async/f/2026/03/04/2026-03-04T05.06.07-uuid')
})

it('a dead letter is the event as it was sent, with what went wrong beside it', () => {
  assert.equal(deadLetterBody(outcome()), '{"a":1.0, "b":"ü"}')
  assert.deepEqual(deadLetterAttributes(outcome()), {
    RequestID: { DataType: 'String', StringValue: 'r-1' },
    ErrorCode: { DataType: 'Number', StringValue: '200' },
    ErrorMessage: { DataType: 'String', StringValue: 'no' },
  })
})

it('attributes fit: a kilobyte of characters that queues take, and none that is empty', () => {
  const attribute = (message: unknown) =>
    deadLetterAttributes(
      outcome({
        answer: { statusCode: 200, payload: Buffer.from(JSON.stringify({ errorMessage: message })) },
      }),
    )['ErrorMessage']?.StringValue
  assert.equal(attribute('a\u0000b\n'), 'ab\n')
  const cut = attribute(`a${'€'.repeat(500)}`) ?? ''
  assert.equal(cut, `a${'€'.repeat(341)}`)
  assert.equal(attribute(''), undefined)
  assert.equal(attribute(7), undefined)
})

it('what did not run says why', () => {
  const zero = deadLetterAttributes(outcome({ condition: 'ZeroReservedConcurrency', answer: undefined }))
  assert.deepEqual(Object.keys(zero), ['RequestID', 'ErrorMessage'])
  assert.match(zero['ErrorMessage']?.StringValue ?? '', /zero reserved concurrent executions$/)
  const throttled = deadLetterAttributes(
    outcome({ condition: 'EventAgeExceeded', answer: { statusCode: 429, message: 'Rate Exceeded.' } }),
  )
  assert.deepEqual(
    [throttled['ErrorCode']?.StringValue, throttled['ErrorMessage']?.StringValue],
    ['429', 'Rate Exceeded.'],
  )
})
