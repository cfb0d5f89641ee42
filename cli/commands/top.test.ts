import assert from 'node:assert/strict'
import { test } from 'node:test'

import { show, showStarts, type TopReport } from './top.ts'

const environment = (change: object = {}) => ({
  id: '0123456789abcdef',
  functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello:$LATEST',
  state: 'idle',
  memoryMiB: 128,
  usedMiB: 31,
  cpuMs: 500,
  ageMs: 61_000,
  invocations: 3,
  ...change,
})
const report = (change: Partial<TopReport> = {}): TopReport => ({
  at: 1_000_000,
  driver: 'oci',
  memory: { promisedMiB: 256, maxMiB: 4096 },
  environments: [environment()],
  waiting: 1,
  asyncEvents: 2,
  pools: [{ runtime: 'nodejs26.x', memoryMiB: 128, ready: 1, wanted: 2, hits: 5, misses: 4 }],
  starts: [],
  ...change,
})

test('top: busy environments come first, CPU is a total before there is anything to compare', () => {
  const lines = show(
    report({ environments: [environment(), environment({ id: 'b', state: 'busy' })] }),
    undefined,
  )
    .split('\n')
    .map((line) => line.replaceAll(/ {2,}/g, '|'))
  assert.equal(
    lines[0],
    '2 environments (1 busy, 1 idle) under oci; 256 of 4096 MiB promised; 1 invocations wait for one, 2 asynchronous events are queued',
  )
  assert.equal(lines[3], 'hello:$LATEST|b|busy|31/128|0.50 s|3|1 min')
  assert.equal(lines[4], 'hello:$LATEST|01234567|idle|31/128|0.50 s|3|1 min')
  assert.equal(lines.at(-1), 'nodejs26.x|128|1/2|5|4')
})

test('top: CPU is a share of the time since the last look', () => {
  const before = report({ at: 999_000, environments: [environment({ cpuMs: 250 })] })
  assert.match(show(report(), before), / 25 % /)
  assert.match(
    show(report({ environments: [environment({ cpuMs: undefined, usedMiB: undefined })] }), before),
    /-\/128 +- /,
  )
})

test('top: a start is shown with its phases, also those that others have not', () => {
  const start = {
    at: 0,
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello:1',
    initializationType: 'on-demand',
    from: 'pool',
    totalMs: 12,
    failed: false,
    phases: [{ phase: 'code', durationMs: 1.25 }],
  }
  const other = {
    ...start,
    from: 'snapshot',
    failed: true,
    totalMs: 20_000,
    phases: [{ phase: 'restore', durationMs: 45 }],
  }
  const lines = showStarts(report({ starts: [start, other] }))
    .split('\n')
    .map((line) => line.replaceAll(/ {2,}/g, '|'))
  assert.deepEqual(lines, [
    'TIME|FUNCTION|TYPE|SANDBOX FROM|TOTAL|CODE|RESTORE',
    '00:00:00.000|hello:1|on-demand|pool|12.0 ms|1.3 ms|-',
    '00:00:00.000|hello:1|on-demand|snapshot|20.0 s failed|-|45.0 ms',
  ])
})
