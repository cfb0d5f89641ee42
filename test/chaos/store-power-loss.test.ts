/**
 * Power loss, as far as one machine can show it: the store lies on an ext4 in a loop-mounted file; while the writer is
 * stopped, the file is copied, so that everything which the file system still kept in memory is missing from the copy.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { systemClock } from '#kernel/clock.ts'
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts'

import { checkAcks, parseAcks } from './store-acks.ts'

const writer = fileURLToPath(new URL('store-writer.ts', import.meta.url))
const run = (command: string, ...values: string[]) => execFileSync(command, values, { stdio: 'pipe' })

/** Marks the test as skipped and returns false where the step is not possible. */
function possible(test: TestContext, what: string, step: () => void): boolean {
  try {
    step()
    return true
  } catch (error) {
    test.skip(`${what} is not possible here: ${String(error).split('\n')[0]}`)
    return false
  }
}

it('keeps every acknowledged write of all ports through a power loss', async (test) => {
  const folder = mkdtempSync(join(tmpdir(), 'store-power-'))
  /** Undone in reverse, so that a failed assertion leaves no process, no mount and no file behind. */
  const undo: (() => void)[] = [() => rmSync(folder, { recursive: true, force: true })]
  test.after(() => undo.toReversed().forEach((step) => step()))
  const [image, copy] = [join(folder, 'disk'), join(folder, 'copy')]
  const [before, after] = [join(folder, 'before'), join(folder, 'after')]
  const mount = (file: string, at: string) =>
    possible(test, 'a loop mount', () => {
      mkdirSync(at)
      run('mount', '-o', 'loop', file, at)
      undo.push(() => run('umount', '--lazy', at))
    })
  const made = possible(test, 'an ext4 image', () => {
    run('truncate', '--size=96M', image)
    run('mkfs.ext4', '-q', '-F', image)
  })
  if (!made || !mount(image, before)) return

  const child = spawn(process.execPath, ['--conditions=source', writer, join(before, 'data'), 'run'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  undo.push(() => child.kill('SIGKILL'))
  let output = ''
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error('The writer ended by itself')))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (output.split('\n').length > 300) resolve()
    })
  })
  child.kill('SIGSTOP')
  // What it printed before it stopped counts too; the pipe may still hold some of it.
  await wait(50)
  copyFileSync(image, copy)
  const acks = parseAcks(output)
  child.removeAllListeners('exit')
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited

  if (!mount(copy, after)) return
  const store = await openSqliteStore({ directory: join(after, 'data'), clock: systemClock })
  try {
    assert.ok((await checkAcks(store, acks)) >= 300)
  } finally {
    await store.close()
  }
})
