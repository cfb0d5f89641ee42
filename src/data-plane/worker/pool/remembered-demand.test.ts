import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { createRememberedDemand } from '#data-plane/worker/pool/remembered-demand.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

test('pool: demand is kept in a file, the latest state last, and nonsense in it is nothing', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'lambent-demand-'))
  t.after(() => rm(directory, { recursive: true }))
  const file = join(directory, 'demand.json')
  const demand = createRememberedDemand({ file, logger })
  assert.deepEqual(await demand.read(), [])
  const shape = (peak: number) => ({ runtime: 'nodejs26.x', memoryMiB: 128, isRich: false, peak })
  demand.write([shape(1)])
  demand.write([shape(2)])
  demand.write([shape(3)])
  while (!(await readFile(file, 'utf8').catch(() => '')).includes('"peak":3')) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.deepEqual(await createRememberedDemand({ file, logger }).read(), [shape(3)])
  for (const text of ['{', '7', '[null, 1, {"runtime": 1}, {"runtime": "x", "memoryMiB": "y"}]']) {
    await writeFile(file, text)
    assert.deepEqual(await demand.read(), [])
  }
})
