/**
 * Copies files out of a directory that a guest can write, while it may still run and change everything in there. Nothing
 * is opened by a path that the guest has a say in: every step goes from an open directory to a name in it, and no link
 * is followed.
 */
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { MIB } from '#kernel/units.ts'

import type { SpawnerRequest } from './messages.ts'

const MAX_FILE_BYTES = 16 * MIB
const MAX_BYTES = 64 * MIB
const MAX_FILES = 16_384
const NAME = /^[\w-][\w.-]{0,127}$/
/** Between these many the spawner looks what else there is to do. */
const FILES_A_TURN = 16

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
/** Without waiting, should it be a pipe. */
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** The directory named, the directories in it, and the plain files in those. Answers their bytes. */
export async function collectFiles(
  request: Extract<SpawnerRequest, { readonly op: 'collect' }>,
): Promise<number> {
  const { from, name, into } = request
  mkdirSync(into, { mode: 0o755 })
  let files = 0
  let bytes = 0
  const outer = openSync(from, DIRECTORY)
  const open = [outer]
  try {
    const top = openSync(inDirectory(outer, name), DIRECTORY)
    open.push(top)
    for (const group of namesIn(top)) {
      const inner = openSync(inDirectory(top, group), DIRECTORY)
      try {
        const target = join(into, group)
        mkdirSync(target, { mode: 0o755 })
        for (const file of namesIn(inner)) {
          if (++files > MAX_FILES) throw new Error(`More than ${MAX_FILES} files`)
          if (files % FILES_A_TURN === 0) await nextTurn()
          const content = readPlain(inDirectory(inner, file))
          bytes += content.byteLength
          if (bytes > MAX_BYTES) throw new Error(`More than ${MAX_BYTES} bytes`)
          writeFileSync(join(target, file), content, { mode: 0o644, flag: 'wx' })
        }
      } finally {
        closeSync(inner)
      }
    }
    return bytes
  } finally {
    for (const descriptor of open.toReversed()) closeSync(descriptor)
  }
}

/** The kernel leads from here to the open directory itself, whatever its name means by now. */
const inDirectory = (descriptor: number, name: string) => `/proc/self/fd/${descriptor}/${name}`

function namesIn(descriptor: number): readonly string[] {
  const names = readdirSync(`/proc/self/fd/${descriptor}`)
  if (names.length > MAX_FILES) throw new Error(`More than ${MAX_FILES} files`)
  const strange = names.find((name) => !NAME.test(name))
  if (strange !== undefined) throw new Error('A file has a strange name')
  return names
}

function readPlain(path: string): Buffer {
  const descriptor = openSync(path, FILE)
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) throw new Error('Not a plain file')
    if (stats.size > MAX_FILE_BYTES) throw new Error(`A file has more than ${MAX_FILE_BYTES} bytes`)
    const content = Buffer.alloc(stats.size)
    let at = 0
    while (at < content.length) {
      const read = readSync(descriptor, content, at, content.length - at, at)
      if (read === 0) break
      at += read
    }
    return content.subarray(0, at)
  } finally {
    closeSync(descriptor)
  }
}
