/** The key that seals secrets at rest: one file in the data directory that only its owner can read. */
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'

const KEY_BYTES = 32

function syncDirectory(directory: string) {
  const handle = openSync(directory, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** The key in a file that somebody has made, for several data directories. Throws when it holds none. */
export function readDataKey(path: string): Uint8Array {
  return parseKey(path, readFileSync(path, 'utf8'))
}

function parseKey(path: string, text: string): Uint8Array {
  const stored = text.trim()
  if (!/^[0-9a-f]{64}$/.test(stored)) {
    throw new Error(`${path} holds no key of ${KEY_BYTES} bytes in hexadecimal; restore it from a backup`)
  }
  return Buffer.from(stored, 'hex')
}

/**
 * Reads the key, or makes one for a new data directory. It is durable before it is used, because what it seals can't be
 * opened without it. Throws when the file is there but holds no key: a new one would make every secret unreadable.
 */
export function openDataKey(directory: string): Uint8Array {
  const path = join(directory, 'secret.key')
  let stored: string
  try {
    stored = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const key = randomBytes(KEY_BYTES)
    const fresh = `${path}.new`
    const handle = openSync(fresh, 'w', 0o600)
    try {
      writeSync(handle, `${key.toString('hex')}\n`)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(fresh, path)
    syncDirectory(dirname(path))
    return key
  }
  return parseKey(path, stored)
}
