import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'

import { systemClock } from '#kernel/clock.ts'
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts'

import { checkAcks, parseAcks } from './store-acks.ts'

const writer = fileURLToPath(new URL('store-writer.ts', import.meta.url))

/** Runs the writer until it has printed `lines` acknowledgements, then kills it. */
async function writeUntilKilled(directory: string, run: string, lines: number): Promise<string> {
  const child = spawn(process.execPath, ['--conditions=source', writer, directory, run], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (output.split('\n').length > lines) child.kill('SIGKILL')
  })
  await once(child, 'close')
  assert.equal(child.signalCode, 'SIGKILL')
  return output
}

it('keeps every acknowledged write of all ports through kill -9, three times in a row', async (test) => {
  const directory = await mkdtemp(join(tmpdir(), 'store-kill-'))
  test.after(() => rm(directory, { recursive: true }))
  let output = ''
  for (const run of ['first', 'second', 'third']) {
    output += await writeUntilKilled(directory, run, 150)
    const store = await openSqliteStore({ directory, clock: systemClock })
    assert.ok((await checkAcks(store, parseAcks(output))) >= 150)
    await store.close()
  }
})
