/**
 * Unpacks one layer: contents of files go into numbered files, everything else into an index. No path of the archive
 * touches the file system here, so none can lead anywhere.
 */
import { createHash } from 'node:crypto'
import { closeSync, fchmodSync, futimesSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { ArchiveRefused } from '#archives/archive-refused.ts'
import { readTar, type TarEntry } from '#archives/read-tar.ts'

import { ImageRefused } from '../image-refused.ts'
import { contentPath, layerPath, type LayerEntry, type LayerIndex } from './layer-entry.ts'

export interface LayerLimits {
  /** Bytes of the uncompressed tar file. */
  readonly maxBytes: number
  readonly maxEntries: number
}

/** Up to this size a file is written in one go, which costs a fraction of asynchronous calls. */
const SMALL_BYTES = 128 * 1024
const BYTES_PER_TURN = 256 * 1024
const FILES_PER_TURN = 16
/** Without set-user-ID, set-group-ID and sticky. */
const FILE_MODE = 0o777
const DIRECTORY_MODE = 0o1777
/** A directory must stay one that we can remove again. */
const OWNER_MODE = 0o700

/** AWS's text, as clients have reported it. */
export const SIZE_EXCEEDED = 'Uncompressed container image size exceeds 10 GiB limit'

const WHITEOUT = '.wh.'
const OPAQUE = '.wh..wh..opq'

/** Verifies that the uncompressed bytes hash to `diffId`; `directory` must be empty. Throws `ImageRefused`. */
export async function unpackLayer(
  tar: AsyncIterable<Uint8Array>,
  directory: string,
  options: { readonly diffId: string; readonly limits: LayerLimits },
): Promise<LayerIndex> {
  try {
    return await unpack(tar, directory, options)
  } catch (error) {
    if (!(error instanceof ArchiveRefused)) throw error
    throw new ImageRefused('damaged', `A layer is no archive that is read: ${error.message}`, error)
  }
}

async function unpack(
  tar: AsyncIterable<Uint8Array>,
  directory: string,
  { diffId, limits }: { readonly diffId: string; readonly limits: LayerLimits },
): Promise<LayerIndex> {
  const hash = createHash('sha256')
  let tarBytes = 0
  async function* counted() {
    for await (const chunk of tar) {
      tarBytes += chunk.byteLength
      if (tarBytes > limits.maxBytes) throw new ImageRefused('too-large', SIZE_EXCEEDED)
      hash.update(chunk)
      yield chunk
    }
  }

  const entries: LayerEntry[] = []
  let number = 0
  let fileBytes = 0
  let sinceTurn = 0
  for await (const entry of readTar(counted())) {
    if (entries.length >= limits.maxEntries) {
      throw new ImageRefused('too-large', `A layer has more than ${limits.maxEntries} entries`)
    }
    const index = indexed(entry, number)
    if (!index) continue
    entries.push(index)
    if (index.k !== 'f') continue
    if (number % 1000 === 0) mkdirSync(join(directory, String(number / 1000)))
    await write(entry, join(directory, contentPath(number++)))
    fileBytes += entry.sizeBytes
    sinceTurn += entry.sizeBytes
    if (number % FILES_PER_TURN === 0 || sinceTurn > BYTES_PER_TURN) {
      sinceTurn = 0
      await nextTurn()
    }
  }
  if (`sha256:${hash.digest('hex')}` !== diffId) {
    throw new ImageRefused('damaged', `A layer does not hash to ${diffId}`)
  }
  return { entries, tarBytes, fileBytes }
}

/** Undefined for what is left out: devices, pipes, and the notes of old union file systems. */
function indexed(entry: TarEntry, number: number): LayerEntry | undefined {
  const path = layerPath(entry.name)
  if (path === undefined) throw new ImageRefused('damaged', `A layer has a path that leads out of it`)
  const slash = path.lastIndexOf('/')
  const base = path.slice(slash + 1)
  const parent = slash === -1 ? '' : path.slice(0, slash)
  if (base === OPAQUE) return { k: 'o', p: parent }
  if (`/${path}`.includes(`/${WHITEOUT}${WHITEOUT}`)) return undefined
  if (base.startsWith(WHITEOUT)) {
    const hidden = base.slice(WHITEOUT.length)
    if (hidden === '' || hidden === '.' || hidden === '..') return undefined
    return { k: 'w', p: parent === '' ? hidden : `${parent}/${hidden}` }
  }
  if (entry.kind === 'directory') {
    return { k: 'd', p: path, m: (entry.mode & DIRECTORY_MODE) | OWNER_MODE }
  }
  if (path === '' || entry.kind === 'special') return undefined
  if (entry.kind === 'file') return { k: 'f', p: path, n: number, s: entry.sizeBytes }
  if (entry.kind === 'hardlink') {
    const target = layerPath(entry.target)
    if (!target) throw new ImageRefused('damaged', 'A layer has a link that leads out of it')
    return { k: 'h', p: path, t: target }
  }
  const { target } = entry
  if (target === '' || target.includes('\0') || Buffer.byteLength(target) > 4095) {
    throw new ImageRefused('damaged', 'A layer has a symbolic link without a usable target')
  }
  return { k: 's', p: path, t: target }
}

async function write(entry: TarEntry, path: string): Promise<void> {
  const mode = entry.mode & FILE_MODE
  // Python compares the times of its sources with those in its compiled files.
  const time = Math.max(0, entry.modifiedAt)
  if (entry.sizeBytes <= SMALL_BYTES) {
    const bytes = await entry.whole()
    const fd = openSync(path, 'wx', 0o600)
    try {
      for (let done = 0; done < bytes.byteLength;) done += writeSync(fd, bytes, done)
      fchmodSync(fd, mode)
      futimesSync(fd, time, time)
    } finally {
      closeSync(fd)
    }
    return
  }
  await using file = await open(path, 'wx', 0o600)
  for await (const piece of entry.pieces()) {
    for (let done = 0; done < piece.byteLength;) done += (await file.write(piece, done)).bytesWritten
  }
  await file.chmod(mode)
  await file.utimes(time, time)
}
