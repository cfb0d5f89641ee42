import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createLogBuffer, type LogBufferOptions } from '#services/logs/log-buffer.ts'
import type { Batch } from '#services/logs/storage/operations.ts'

function create(options: Partial<LogBufferOptions> = {}) {
  const clock = createVirtualClock()
  const written: Batch[] = []
  const counts = new Map<string, number>()
  const buffer = createLogBuffer({
    write: async (batches) => void written.push(...batches),
    clock,
    metrics: { count: (name, by = 1) => void counts.set(name, (counts.get(name) ?? 0) + by) },
    ...options,
  })
  const append = (group: string, messages: readonly string[], stream = 's') =>
    buffer.append({
      account: 'a',
      region: 'r',
      group,
      stream,
      events: messages.map((message) => ({ timestamp: 1, message })),
    })
  const messages = () => written.flatMap(({ events }) => events.map(({ message }) => message))
  return { clock, written, counts, buffer, append, messages }
}

test('events are written together after a moment, each stream in order', async () => {
  const { clock, written, append } = create()
  append('g', ['1', '2'])
  append('h', ['x'])
  append('g', ['3'])
  assert.equal(written.length, 0)
  await clock.advance(100)
  assert.deepEqual(
    written.map(({ group, events }) => [group.name, events.map(({ message }) => message).join('')]),
    [
      ['g', '123'],
      ['h', 'x'],
    ],
  )
  assert.equal(clock.pendingTimers, 0)
})

test('much is written at once, in pieces', async () => {
  const { buffer, append, written, messages } = create()
  const lines = Array.from({ length: 30_000 }, (_, index) => `line ${index}`)
  append('g', lines)
  await buffer.drain(1000)
  assert.deepEqual(messages(), lines)
  assert.ok(written.length > 1)
})

test('a flood drops with a count and a line that says so, and only in its own group', async () => {
  const opened = Promise.withResolvers<void>()
  const written: Batch[] = []
  const { buffer, append, counts, clock } = create({
    maxGroupBytes: 10_000,
    write: async (batches) => {
      await opened.promise
      written.push(...batches)
    },
  })
  for (let index = 0; index < 1000; index++) append('flood', [`line ${index}`])
  append('quiet', ['still here'])
  const dropped = counts.get('lambent_log_events_dropped_total') ?? 0
  assert.ok(dropped > 800)
  await clock.advance(100)
  opened.resolve()
  await buffer.drain(1000)
  const flood = written.filter(({ group }) => group.name === 'flood').flatMap(({ events }) => events)
  assert.equal(flood.length, 1000 - dropped + 1)
  assert.match(flood.at(-1)?.message ?? '', new RegExp(`${dropped} log events were dropped`))
  assert.deepEqual(
    written
      .filter(({ group }) => group.name === 'quiet')
      .flatMap(({ events }) => events.map((event) => event.message)),
    ['still here'],
  )
})

test('what cannot be stored is counted, and the next events are taken again', async () => {
  const failures: unknown[] = []
  let broken = true
  const { buffer, append, counts } = create({
    write: async () => {
      if (broken) throw new Error('disk full')
    },
    onError: (error) => failures.push(error),
  })
  append('g', ['1', '2'])
  await buffer.drain(1000)
  assert.deepEqual([failures.length, counts.get('lambent_log_events_lost_total')], [1, 2])
  broken = false
  append('g', ['3'])
  await buffer.drain(1000)
  assert.equal(failures.length, 1)
})

test('draining ends at its deadline although the disk hangs', async () => {
  const { buffer, append, clock } = create({ write: () => new Promise(() => {}) })
  append('g', ['1'])
  let ended = false
  void buffer.drain(500).then(() => (ended = true))
  await clock.advance(499)
  assert.equal(ended, false)
  await clock.advance(1)
  assert.equal(ended, true)
})

test('a message of many megabytes is cut to the largest event that CloudWatch takes', async () => {
  const { buffer, append, messages } = create()
  append('g', [`${'ö'.repeat(900_000)}`])
  await buffer.drain(1000)
  const size = Buffer.byteLength(messages()[0] ?? '')
  assert.ok(size > 1_048_500 && size <= 1_048_550, String(size))
})

test('after stop nothing is taken', async () => {
  const { buffer, append, written, clock } = create()
  buffer.stop()
  append('g', ['1'])
  await clock.advance(1000)
  assert.equal(written.length, 0)
})
