import assert from 'node:assert/strict'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { test } from 'node:test'

import { readSubscription } from '#data-plane/runtime-api/telemetry/subscription-request.ts'
import { createTelemetryHub } from '#data-plane/runtime-api/telemetry/telemetry-hub.ts'
import { createTelemetrySubscriber } from '#data-plane/runtime-api/telemetry/telemetry-subscriber.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

const read = (value: unknown, api: 'telemetry' | 'logs' = 'telemetry') =>
  readSubscription(api, Buffer.from(JSON.stringify(value)))
const GOOD = {
  schemaVersion: '2022-12-13',
  types: ['platform', 'function'],
  destination: { protocol: 'HTTP', URI: 'http://sandbox.localdomain:8080/in' },
}

test('a subscription has AWS’s defaults, and its limits', () => {
  assert.deepEqual(read(GOOD), {
    categories: new Set(['platform', 'function']),
    buffering: { maxItems: 10_000, maxBytes: 262_144, timeoutMs: 1000 },
    destination: { protocol: 'HTTP', port: 8080, path: '/in' },
  })
  assert.deepEqual(
    read({
      ...GOOD,
      buffering: { maxItems: 1000, maxBytes: 1_048_576, timeoutMs: 25 },
      destination: { protocol: 'TCP', port: 9 },
    }),
    {
      categories: new Set(['platform', 'function']),
      buffering: { maxItems: 1000, maxBytes: 1_048_576, timeoutMs: 25 },
      destination: { protocol: 'TCP', port: 9 },
    },
  )
  assert.equal(typeof read({ types: ['function'], destination: GOOD.destination }, 'logs'), 'object')
})

const BAD: readonly (readonly [string, unknown, string])[] = [
  [
    'what the guide shows',
    { ...GOOD, types: [], destination: { protocol: 'HTTP', URI: 'http://sandbox.localdomain' } },
    'URI port is not provided; types should not be empty',
  ],
  [
    'a version',
    { ...GOOD, schemaVersion: '1' },
    'schemaVersion should be one of 2022-07-01, 2022-12-13, 2025-01-29',
  ],
  [
    'another host',
    { ...GOOD, destination: { protocol: 'HTTP', URI: 'http://169.254.169.254:80' } },
    'URI host should be sandbox.localdomain',
  ],
  ['no list', [], 'the body should be an object'],
  ['a type', { ...GOOD, types: ['all'] }, 'types should be of platform, function, extension'],
  ['a limit', { ...GOOD, buffering: { maxItems: 10 } }, 'maxItems should be between 1000 and 10000'],
  ['a protocol', { ...GOOD, destination: { protocol: 'UDP', port: 1 } }, 'protocol should be HTTP or TCP'],
  ['a port', { ...GOOD, destination: { protocol: 'TCP', port: 0 } }, 'port should be between 1 and 65535'],
]
for (const [name, value, expected] of BAD) {
  test(`a subscription is refused for ${name}`, () => assert.equal(read(value), expected))
}

test('batches go by number, by size and by time, one after the other', async () => {
  const clock = createVirtualClock()
  const batches: (readonly string[])[] = []
  const doors: (() => void)[] = []
  const dropped: number[] = []
  const subscriber = createTelemetrySubscriber({
    buffering: { maxItems: 2, maxBytes: 100, timeoutMs: 50 },
    deliver: (events) => {
      batches.push(events)
      return new Promise((resolve) => doors.push(resolve))
    },
    onDropped: ({ records }) => dropped.push(records),
    clock,
  })
  subscriber.add('a')
  await clock.advance(49)
  assert.equal(batches.length, 0)
  await clock.advance(1)
  assert.deepEqual(batches, [['a']])
  for (const event of ['b', 'c', 'd', 'e', 'f', 'g']) subscriber.add(event)
  assert.equal(batches.length, 1, 'the first is still on its way')
  assert.deepEqual(dropped, [2], 'two batches wait, the third is lost')
  const flushed = subscriber.flush()
  for (let n = 0; n < 3; n++) {
    doors.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await flushed
  assert.deepEqual(batches, [['a'], ['b', 'c'], ['d', 'e']])
  subscriber.add('x'.repeat(100))
  assert.equal(batches.length, 4, 'by size')
  subscriber.stop()
})

const listen = async (server: Server) => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return (server.address() as AddressInfo).port
}
const inside = async (port: number) => connect(port, '127.0.0.1')

test('a hub brings what happened before and after a subscription, by HTTP and by TCP', async () => {
  const bodies: { type: string; record: unknown }[][] = []
  const sequence: unknown[] = []
  const http = createHttpServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      sequence.push(request.headers['sequence-id'])
      bodies.push(JSON.parse(text) as { type: string; record: unknown }[])
      response.end('ok')
    })
  })
  let lines = ''
  const tcp = createServer((socket) => socket.on('data', (chunk: Buffer) => (lines += chunk.toString())))
  const [httpPort, tcpPort] = [await listen(http), await listen(tcp)]
  const clock = createVirtualClock()
  const hub = createTelemetryHub({ connect: inside, clock })
  hub.emit('platform', 'platform.initStart', { phase: 'init' })
  hub.emit('function', 'function', 'not for the first')
  const of = (destination: unknown, types: readonly string[]) => {
    const subscription = read({ ...GOOD, types, destination })
    assert.ok(typeof subscription === 'object')
    return subscription
  }
  const uri = `http://sandbox.localdomain:${httpPort}`
  assert.ok(hub.subscribe('first', of({ protocol: 'HTTP', URI: uri }, ['platform'])))
  assert.ok(hub.subscribe('second', of({ protocol: 'TCP', port: tcpPort }, ['function', 'extension'])))
  hub.close()
  assert.equal(hub.subscribe('late', of({ protocol: 'TCP', port: tcpPort }, ['function'])), false)
  hub.emit('extension', 'extension', 'a line')
  await hub.flush()
  assert.deepEqual(
    bodies[0]?.map(({ type, record }) => [type, record]),
    [
      ['platform.initStart', { phase: 'init' }],
      ['platform.telemetrySubscription', { name: 'first', state: 'Subscribed', types: ['platform'] }],
      [
        'platform.telemetrySubscription',
        { name: 'second', state: 'Subscribed', types: ['function', 'extension'] },
      ],
    ],
  )
  assert.match(String(sequence[0]), /^[A-Za-z0-9+/]{43}=$/)
  while (lines.split('\n').length < 3) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual(
    lines
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { record: unknown }).record),
    ['not for the first', 'a line'],
  )
  hub.stop()
  http.close()
  tcp.close()
})

test('what could not be sent is told to those who listen to the platform', async () => {
  const clock = createVirtualClock()
  let lines = ''
  const tcp = createServer((socket) => socket.on('data', (chunk: Buffer) => (lines += chunk.toString())))
  const port = await listen(tcp)
  const hub = createTelemetryHub({
    connect: (to) => (to === port ? inside(to) : Promise.reject(new Error('nobody there'))),
    clock,
  })
  const subscription = (to: number, type: string) => {
    const value = read({ ...GOOD, types: [type], destination: { protocol: 'TCP', port: to } })
    assert.ok(typeof value === 'object')
    return value
  }
  hub.subscribe('good', subscription(port, 'platform'))
  hub.subscribe('bad', subscription(1, 'function'))
  hub.emit('function', 'function', 'lost')
  await hub.flush()
  await hub.flush()
  while (!lines.includes('logsDropped')) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.match(lines, /"reason":"could not send events: nobody there","droppedRecords":1,"droppedBytes":\d+/)
  hub.stop()
  tcp.close()
})
