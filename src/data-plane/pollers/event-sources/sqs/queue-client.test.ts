import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'

import { systemClock } from '#kernel/clock.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

import { createQueueClient, QueueError } from './queue-client.ts'

interface Sent {
  readonly headers: IncomingMessage['headers']
  readonly input: Readonly<Record<string, unknown>>
}

/** A queue service that answers with what it is given; undefined: never. */
async function service(t: TestContext, answers: readonly (readonly [number, string] | undefined)[]) {
  const sent: Sent[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const answer = answers[sent.length]
      sent.push({
        headers: request.headers,
        input: JSON.parse(Buffer.concat(chunks).toString()) as Sent['input'],
      })
      if (answer) response.writeHead(answer[0]).end(answer[1])
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, sent }
}

const SIGNAL = new AbortController().signal
const RECEIVE = { max: 10, waitSeconds: 0 }
const client = (url: string, clock = systemClock) =>
  createQueueClient({
    endpoint: { url, credentials: { accessKeyId: 'AKIA', secret: 's' } },
    region: 'eu-west-1',
    clock,
  })

test('queue client: signs for the region, asks for everything, and drops what is no message', async (t) => {
  const message = { MessageId: 'm', ReceiptHandle: 'r', Body: 'b' }
  const { url, sent } = await service(t, [
    [200, JSON.stringify({ Messages: [message, { MessageId: 'n' }, null, 7] })],
    [200, '{}'],
    [200, JSON.stringify({ Failed: [{ Id: '1' }] })],
  ])
  const queue = client(url)
  assert.deepEqual(await queue.receive('http://q', RECEIVE, SIGNAL), [message])
  assert.deepEqual(await queue.receive('http://q', RECEIVE, SIGNAL), [])
  assert.deepEqual(await queue.remove('http://q', ['a', 'b']), ['b'])
  assert.match(
    String(sent[0]?.headers['authorization']),
    /Credential=AKIA\/\d{8}\/eu-west-1\/sqs\/aws4_request/,
  )
  assert.equal(sent[0]?.headers['x-amz-target'], 'AmazonSQS.ReceiveMessage')
  assert.deepEqual(sent[0]?.input['MessageSystemAttributeNames'], ['All'])
  queue.close()
})

test('queue client: names the error of the service, and survives answers that are none', async (t) => {
  const { url } = await service(t, [
    [400, '{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"gone"}'],
    [502, '<html>'],
    [500, ''],
    [200, '[]'],
  ])
  const queue = client(url)
  const codeOf = (run: Promise<unknown>) =>
    run.then(
      () => 'none',
      (error: unknown) => (error instanceof QueueError ? error.code : String(error)),
    )
  assert.equal(await codeOf(queue.queueUrl('q', '1', SIGNAL)), 'QueueDoesNotExist')
  assert.equal(await codeOf(queue.queueUrl('q', '1', SIGNAL)), 'InvalidAnswer')
  assert.equal(await codeOf(queue.queueUrl('q', '1', SIGNAL)), 'HTTP500')
  assert.match(await codeOf(queue.queueUrl('q', '1', SIGNAL)), /lacks a text/)
  queue.close()
  assert.match(await codeOf(client('http://127.0.0.1:1').queueUrl('q', '1', SIGNAL)), /ECONNREFUSED/)
})

test('queue client: an answer that never comes ends at its deadline, or when nobody wants it any more', async (t) => {
  const { url, sent } = await service(t, [])
  const clock = createVirtualClock()
  const queue = client(url, clock)
  const late = queue.receive('http://q', { max: 1, waitSeconds: 20 }, SIGNAL)
  while (sent.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  clock.advance(35_000)
  await assert.rejects(late, /did not answer within 35000 ms/)
  const leaving = new AbortController()
  const unwanted = queue.receive('http://q', RECEIVE, leaving.signal)
  leaving.abort()
  await assert.rejects(unwanted, { name: 'AbortError' })
  queue.close()
})
