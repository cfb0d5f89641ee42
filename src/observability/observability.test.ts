import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createLogger } from '#observability/logger.ts'
import { createMetrics } from '#observability/metrics.ts'

const collect = (level: 'debug' | 'warn' = 'debug') => {
  const lines: string[] = []
  const stream = { write: (text: string) => lines.push(text) }
  const clock = createVirtualClock(Date.UTC(2026, 0, 2, 3, 4, 5))
  return { lines, logger: createLogger({ level, stream, clock }) }
}

test('logger: one JSON object a line, with the fields', () => {
  const { lines, logger } = collect()
  logger.info('Started', { port: 4566, id: 7n, key: new Uint8Array(3) })
  assert.deepEqual(lines, [
    '{"time":"2026-01-02T03:04:05.000Z","level":"info","message":"Started","port":4566,"id":"7","key":"3 bytes"}\n',
  ])
})

test('logger: what is below the level is left out', () => {
  const { lines, logger } = collect('warn')
  logger.debug('a')
  logger.info('b')
  logger.warn('c')
  logger.error('d')
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { message: string }).message),
    ['c', 'd'],
  )
})

test('logger: errors keep their causes, and circular fields do not throw', () => {
  const { lines, logger } = collect()
  logger.error('Failed', { error: new Error('outer', { cause: new TypeError('inner') }) })
  const { error } = JSON.parse(lines[0] ?? '') as { error: { message: string; cause: { name: string } } }
  assert.deepEqual([error.message, error.cause.name], ['outer', 'TypeError'])
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  logger.info('Odd', circular)
  assert.match(lines[1] ?? '', /^\{.*"message":"Odd".*\}\n$/)
  logger.info('x'.repeat(100_000))
  assert.ok((lines[2] ?? '').length < 10_000)
})

test('metrics: counters, gauges and histograms are rendered for Prometheus', () => {
  const metrics = createMetrics({ buckets: [0.1, 1] })
  metrics.count('invocations_total', 2, { outcome: 'ok', function: 'a"b\\c\n' })
  metrics.count('invocations_total', 1, { function: 'a"b\\c\n', outcome: 'ok' })
  metrics.gauge('environments', 5)
  metrics.gauge('environments', 4)
  for (const value of [0.05, 0.1, 0.5, 7]) metrics.observe('duration_seconds', value, { kind: 'warm' })
  assert.equal(
    metrics.render(),
    [
      '# TYPE invocations_total counter',
      'invocations_total{function="a\\"b\\\\c\\n",outcome="ok"} 3',
      '# TYPE environments gauge',
      'environments 4',
      '# TYPE duration_seconds histogram',
      'duration_seconds_bucket{kind="warm",le="0.1"} 2',
      'duration_seconds_bucket{kind="warm",le="1"} 3',
      'duration_seconds_bucket{kind="warm",le="+Inf"} 4',
      'duration_seconds_sum{kind="warm"} 7.65',
      'duration_seconds_count{kind="warm"} 4',
      '',
    ].join('\n'),
  )
})

test('metrics: a label that carries ids does not grow without end', () => {
  const metrics = createMetrics()
  for (let index = 0; index < 2100; index++) metrics.count('requests_total', 1, { id: String(index) })
  const lines = metrics.render().split('\n')
  assert.equal(lines.filter((line) => line.startsWith('requests_total')).length, 2000)
  assert.ok(lines.includes('lambent_metrics_dropped_total 100'))
})

test('metrics: a name is one kind of metric only', () => {
  const metrics = createMetrics()
  metrics.count('a')
  assert.throws(() => metrics.gauge('a', 1), /is a counter/)
  assert.throws(() => metrics.count('not a name'), /no name/)
  assert.equal(createMetrics().render(), '')
})
