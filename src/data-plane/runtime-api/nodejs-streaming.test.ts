import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { startNodeGuest } from '../../../test/support/managed-guest.ts'
import { createSlowStream } from '../../../test/support/slow-stream.ts'

const ENVIRONMENTS = [
  ['22 and older', { AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' }],
  ['24 and newer', { AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' }],
] as const

/** `event.mib` megabytes, while a clock of its own ticks into a file: both say how far they are. */
const SOURCE = `
const { writeFileSync } = require('fs')
const written = (stream, bytes) => new Promise((resolve) => stream.write(bytes, resolve))
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  let mib = 0
  let ticks = 0
  const note = () => writeFileSync('progress', mib + ' ' + ticks)
  const timer = setInterval(() => { ticks++; note() }, 2)
  try {
    for (; mib < event.mib; mib++) {
      await written(stream, Buffer.alloc(1048576, 97 + mib))
      console.log('wrote', mib)
      if (event.fail === mib) throw new Error('half-way')
    }
    stream.end()
  } finally {
    clearInterval(timer)
    note()
  }
})`
const MIB = 1_048_576
const INVOCATION = {
  requestId: 'request-1',
  deadlineMs: Date.now() + 30_000,
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
}
const event = (value: unknown) => ({ ...INVOCATION, payload: Buffer.from(JSON.stringify(value)) })

for (const [name, env] of ENVIRONMENTS) {
  test(`node ${name}: a slow reader slows the stream down and not the function's other work`, async () => {
    await using guest = await startNodeGuest({ 'index.js': SOURCE })
    assert.deepEqual(await guest.init('index.handler', env), { kind: 'ready' })
    const progress = () => {
      const file = join(guest.taskRoot, 'progress')
      const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
      const [mib = 0, ticks = 0] = text.split(' ').map(Number)
      return { mib, ticks }
    }
    const slow = createSlowStream({ slow: true })
    const outcome = guest.session.invoke(event({ mib: 8 }), slow)
    // It is stuck when its clock goes on and its writing does not.
    for (let since = progress(); ;) {
      await new Promise((resolve) => setTimeout(resolve, 2))
      const now = progress()
      if (now.mib !== since.mib || slow.receivedBytes === 0) since = now
      else if (now.ticks >= since.ticks + 20) break
    }
    assert.ok(progress().mib < 4, `${progress().mib} megabytes were written`)
    slow.open()
    assert.equal((await outcome).kind, 'response')
    const expected = Array.from({ length: 8 }, (_, n) => String.fromCharCode(97 + n).repeat(MIB)).join('')
    assert.ok(slow.text() === expected, 'every byte is there, in order')
    // Whatever it logged in between has come as it was.
    assert.deepEqual(
      guest.logs.map(({ message }) => message.split('\t').at(-1)),
      Array.from({ length: 8 }, (_, n) => `wrote ${n}`),
    )
  })

  test(`node ${name}: an error in the middle comes behind what was written, and the next stream is whole`, async () => {
    await using guest = await startNodeGuest({ 'index.js': SOURCE })
    assert.deepEqual(await guest.init('index.handler', env), { kind: 'ready' })
    const failing = createSlowStream()
    const end = await guest.session.invoke(event({ mib: 5, fail: 1 }), failing)
    assert.ok(end.kind === 'error')
    assert.match(Buffer.from(end.payload).toString(), /"errorMessage":"half-way"/)
    assert.equal(failing.receivedBytes, 2 * MIB)
    const whole = createSlowStream()
    assert.equal((await guest.session.invoke(event({ mib: 2 }), whole)).kind, 'response')
    assert.equal(whole.receivedBytes, 2 * MIB)
    assert.deepEqual(whole.contentTypes, ['application/octet-stream'])
  })
}
