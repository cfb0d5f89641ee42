import { invocationTrace } from '#data-plane/worker/log/invocation-trace.ts'
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'

import { createEnvironmentLog } from '#data-plane/worker/log/environment-log.ts'
import { createJsonLines } from '#data-plane/worker/log/json-lines.ts'
import { createLineSplitter, cutMessage } from '#data-plane/worker/log/line-splitter.ts'
import { createLogTail } from '#data-plane/worker/log/log-tail.ts'
import { createOutputPump } from '#data-plane/worker/log/output-pump.ts'
import { createPlatformRecords } from '#data-plane/worker/log/platform-records.ts'
import { createTextLines } from '#data-plane/worker/log/text-lines.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'

import { aVersion } from '../../../../test/support/function-version.ts'

const SUBJECT = {
  functionName: 'fn',
  functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:fn',
  version: '$LATEST',
  initializationType: 'on-demand',
  runtimeVersion: 'nodejs:24.v1',
  runtimeVersionArn: 'arn:aws:lambda:us-east-1::runtime:00',
  logStream: '2026/01/01/[$LATEST]00',
  memoryMiB: 256,
}
const REPORT = {
  requestId: 'id',
  durationMs: 1233.9604,
  billedDurationMs: 1698,
  memorySizeMiB: 256,
  maxMemoryUsedMiB: 123,
  initDurationMs: 463.5119,
  failure: undefined,
}
const NOW = Date.UTC(2026, 9, 8, 7, 30, 27, 768)

test('lines: are cut at newlines, across chunks, and the unfinished one waits', () => {
  const splitter = createLineSplitter()
  assert.deepEqual(splitter.push(Buffer.from('one\ntw')), ['one'])
  assert.deepEqual(splitter.push(Buffer.from('o\n\nthr')), ['two', ''])
  assert.equal(splitter.flush(), 'thr')
  assert.equal(splitter.flush(), undefined)
  assert.deepEqual(splitter.push(Buffer.from('ee\n')), ['ee'])
})

test('lines: a character that arrives in two chunks stays whole', () => {
  const splitter = createLineSplitter()
  const bytes = Buffer.from('é\n')
  assert.deepEqual(splitter.push(bytes.subarray(0, 1)), [])
  assert.deepEqual(splitter.push(bytes.subarray(1)), ['é'])
})

test('lines: one that is longer than an event may be becomes several, between characters', () => {
  const splitter = createLineSplitter(4)
  assert.deepEqual(splitter.push(Buffer.from('abcdefghij\nk\n')), ['abcd', 'efgh', 'ij', 'k'])
  assert.deepEqual(splitter.push(Buffer.from('abéé\n')), ['abé', 'é'])
  assert.deepEqual(splitter.push(Buffer.from('aééé\n')), ['aé', 'éé'])
  // What is no UTF-8 at all is cut anyhow.
  assert.equal(splitter.push(Buffer.alloc(9, 0x80)).length, 2)
})

test('lines: however it is cut into chunks, the same lines come out', () => {
  const text = 'first\nsecond line\n\nlonger than the limit of sixteen bytes\nlast'
  const whole = createLineSplitter(16)
  const expected = [...whole.push(Buffer.from(text)), whole.flush()]
  for (let size = 1; size < 20; size++) {
    const splitter = createLineSplitter(16)
    const lines: (string | undefined)[] = []
    for (let at = 0; at < text.length; at += size) {
      lines.push(...splitter.push(Buffer.from(text.slice(at, at + size))))
    }
    lines.push(splitter.flush())
    assert.deepEqual(lines, expected)
  }
})

test('records: one that is too long becomes several events, newlines and all', () => {
  assert.deepEqual(cutMessage('a\nb', 4), ['a\nb'])
  assert.deepEqual(cutMessage('a\nbcdéé', 4), ['a\nbc', 'dé', 'é'])
})

test('tail: keeps the last bytes, whatever came before', () => {
  const tail = createLogTail(16)
  for (let n = 0; n < 1000; n++) tail.add(`line ${n}`)
  assert.equal(Buffer.from(tail.take()).toString(), 'ne 998\nline 999\n'.slice(-16))
  assert.equal(tail.take().byteLength, 0)
  tail.add('x'.repeat(100))
  assert.equal(Buffer.from(tail.take()).toString(), `${'x'.repeat(15)}\n`)
  tail.add('short')
  tail.clear()
  assert.equal(tail.take().byteLength, 0)
})

test('a traced invocation is named in REPORT, and in the records of the JSON format', () => {
  const text = createTextLines(SUBJECT)
  const json = createJsonLines(createPlatformRecords(SUBJECT))
  const header = `Root=1-68e5e4a1-${'ab'.repeat(12)};Parent=${'c'.repeat(16)};Sampled=1;Lineage=1:a87bd80c:0`
  const trace = invocationTrace({ tracingMode: 'Active' }, header)
  assert.ok(trace)
  assert.equal(
    text.report({ ...REPORT, trace }, NOW),
    `${text.report(REPORT, NOW)}\nXRAY TraceId: 1-68e5e4a1-${'ab'.repeat(12)}\tSegmentId: ${'c'.repeat(16)}\tSampled: true\t`,
  )
  const tracing = { spanId: 'c'.repeat(16), type: 'X-Amzn-Trace-Id', value: header }
  const lines = [json.start({ requestId: 'id', trace }, NOW), json.report({ ...REPORT, trace }, NOW)]
  for (const line of lines) assert.deepEqual(JSON.parse(line ?? '').record.tracing, tracing)
  assert.equal(invocationTrace({ tracingMode: 'PassThrough' }, header), undefined)
  assert.equal(
    invocationTrace({ tracingMode: 'Active' }, header.replace('Sampled=1', 'Sampled=0')),
    undefined,
  )
})

test('text: REPORT ends in a tab without a status, and without one with it', () => {
  const text = createTextLines(SUBJECT)
  assert.equal(
    text.report(REPORT, NOW),
    'REPORT RequestId: id\tDuration: 1233.96 ms\tBilled Duration: 1698 ms\tMemory Size: 256 MB\tMax Memory Used: 123 MB\tInit Duration: 463.51 ms\t',
  )
  assert.equal(
    text.report(
      {
        ...REPORT,
        initDurationMs: undefined,
        failure: { status: 'error', errorType: 'Runtime.OutOfMemory' },
      },
      NOW,
    ),
    'REPORT RequestId: id\tDuration: 1233.96 ms\tBilled Duration: 1698 ms\tMemory Size: 256 MB\tMax Memory Used: 123 MB\tStatus: error\tError Type: Runtime.OutOfMemory',
  )
  assert.equal(text.timedOut('id', 3, NOW), '2026-10-08T07:30:27.768Z id Task timed out after 3.00 seconds\n')
})

test('JSON: the records are those that AWS writes', () => {
  const json = createJsonLines(createPlatformRecords(SUBJECT))
  // Whole records, recorded from AWS in October 2026 with the names replaced.
  assert.equal(
    json.initStart(NOW),
    '{"time":"2026-10-08T07:30:27.768Z","type":"platform.initStart","record":{"initializationType":"on-demand","phase":"init","runtimeVersion":"nodejs:24.v1","runtimeVersionArn":"arn:aws:lambda:us-east-1::runtime:00","functionName":"fn","functionVersion":"$LATEST","instanceId":"2026/01/01/[$LATEST]00","instanceMaxMemory":268435456}}',
  )
  assert.equal(
    json.start({ requestId: 'id' }, NOW),
    '{"time":"2026-10-08T07:30:27.768Z","type":"platform.start","record":{"requestId":"id","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:fn","version":"$LATEST"}}',
  )
  assert.equal(
    json.report(REPORT, NOW),
    '{"time":"2026-10-08T07:30:27.768Z","type":"platform.report","record":{"requestId":"id","metrics":{"durationMs":1233.96,"billedDurationMs":1698,"memorySizeMB":256,"maxMemoryUsedMB":123,"initDurationMs":463.512},"status":"success"}}',
  )
  assert.equal(
    json.initReport({ phase: 'init', durationMs: 10_000.4874, failure: { status: 'timeout' } }, NOW),
    '{"time":"2026-10-08T07:30:27.768Z","type":"platform.initReport","record":{"initializationType":"on-demand","phase":"init","status":"timeout","metrics":{"durationMs":10000.487}}}',
  )
})

test('JSON: the system log level decides which records there are', () => {
  const failed = { ...REPORT, failure: { status: 'timeout' as const } }
  const written = (level: string) => {
    const json = createJsonLines(createPlatformRecords(SUBJECT), level)
    return [
      json.runtimeDone(REPORT, NOW),
      json.start({ requestId: 'id' }, NOW),
      json.report(REPORT, NOW),
      json.report(failed, NOW),
    ].map((record) => record !== undefined)
  }
  assert.deepEqual(written('DEBUG'), [true, true, true, true])
  assert.deepEqual(written('INFO'), [false, true, true, true])
  assert.deepEqual(written('WARN'), [false, false, false, true])
})

test('output: everything written before is handed on by settle, the unfinished line too', async () => {
  const clock = createVirtualClock()
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const lines: string[] = []
  const pump = createOutputPump({
    streams: [stdout, stderr],
    onLines: (text) => void lines.push(...text),
    clock,
  })
  for (let n = 0; n < 1000; n++) stdout.write(`line ${n}\n`)
  stderr.write('no newline')
  await pump.settle()
  assert.equal(lines.length, 1001)
  assert.ok(lines.includes('no newline'))
  pump.stop()
})

test('output: a guest that prints too much is made to wait', async () => {
  const clock = createVirtualClock()
  const stdout = new PassThrough()
  let readBytes = 0
  const pump = createOutputPump({
    streams: [stdout],
    onLines: (text) => {
      for (const line of text) readBytes += line.length + 1
    },
    clock,
  })
  const chunk = Buffer.from(`${'x'.repeat(1023)}\n`.repeat(64))
  const writeAll = () => {
    for (let n = 0; n < 80; n++) stdout.write(chunk)
  }
  writeAll()
  await clock.advance(0)
  const inFirstWindow = readBytes
  assert.ok(inFirstWindow >= 4 * 1024 * 1024 && inFirstWindow < 5 * 1024 * 1024, String(inFirstWindow))
  assert.ok(stdout.isPaused())
  await clock.advance(100)
  assert.equal(readBytes, 80 * chunk.byteLength)
  pump.stop()
})

test('events: times never run against the order, and never ahead of the clock', async () => {
  const clock = createVirtualClock()
  const seen: { readonly timestamp: number; readonly message: string }[] = []
  const log = createEnvironmentLog({
    version: aVersion(),
    runtime: undefined,
    initializationType: 'on-demand',
    stream: 'stream',
    sink: { append: ({ events }) => void seen.push(...events) },
    clock,
  })
  const start = clock.now()
  await clock.advance(10)
  log.lines(['printed'])
  log.record({ timestamp: start + 3, message: 'stamped before the line above arrived' })
  log.record({ timestamp: start + 99_000, message: 'from a clock that is fast' })
  await clock.advance(10)
  log.lines(['later'])
  assert.deepEqual(
    seen.map(({ timestamp }) => timestamp - start),
    [10, 10, 10, 20],
  )
})

test('output: what is fed keeps its order with log records, unfinished lines too', async () => {
  const lines: string[] = []
  const pump = createOutputPump({
    streams: [],
    onLines: (more) => lines.push(...more),
    clock: createVirtualClock(),
  })
  pump.feed(Buffer.from('one\ntw'))
  pump.feed(Buffer.from('o'))
  assert.deepEqual(lines, ['one'])
  pump.endLine()
  pump.endLine()
  assert.deepEqual(lines, ['one', 'two'])
  pump.feed(Buffer.from('three'))
  await pump.settle()
  assert.deepEqual(lines, ['one', 'two', 'three'])
})
