/** The files of a function version as directories: its code, its layers, and the layers laid over each other. */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'

import { ArchiveRefused } from '#archives/archive-refused.ts'
import { extractZip } from '#archives/extract-zip.ts'
import { mergeDirectories } from '#archives/merge-directories.ts'
import { LambdaError, serviceFailure } from '#contracts/errors.ts'
import type { PackageKeys } from '#contracts/package-keys.ts'
import { openStream } from '#kernel/sealed-stream.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import type { CachedDirectory, DirectoryCache } from '#data-plane/worker/code/directory-cache.ts'
import { BlobMissing, type Blobs } from '#store/port.ts'

export interface CodeFiles {
  /** Unpacked code. */
  readonly task: string
  /** Merged layers; undefined when the version has none. */
  readonly opt: string | undefined
  /** Gives the directories back to the cache; safe to call twice. */
  release(): void
}

/**
 * Unpacks what is not there yet. Rejects with a `LambdaError`: InvalidZipFileException when the archive is refused,
 * ServiceException when the store does not hold it.
 */
export async function acquireCodeFiles(options: {
  readonly version: FunctionVersion
  readonly blobs: Blobs
  readonly cache: DirectoryCache
  readonly packageKeys: Pick<PackageKeys, 'open'>
}): Promise<CodeFiles> {
  const { version, blobs, cache, packageKeys } = options
  const held: CachedDirectory[] = []
  const release = () => {
    for (const directory of held.splice(0)) directory.release()
  }
  try {
    const { blob, encryption } = version.code
    // Asked also when the code lies unpacked already: who takes the key away wants no new environments.
    const codeKey = encryption && (await packageKeys.open(version, encryption))
    const task = await unpacked({ kind: 'code', sha256: blob, blobs, cache, key: codeKey })
    held.push(task)
    // One after the other: a failure then leaves nothing that arrives later and is given back by nobody.
    const layers: CachedDirectory[] = []
    for (const layer of version.layers) {
      const directory = await unpacked({ kind: 'layer', sha256: layer.blob, blobs, cache })
      held.push(directory)
      layers.push(directory)
    }
    const [first] = layers
    if (!first) return { task: task.path, opt: undefined, release }
    if (layers.length === 1) return { task: task.path, opt: first.path, release }
    const key = createHash('sha256')
      .update(version.layers.map((layer) => layer.blob).join('\n'))
      .digest('hex')
    const opt = await cache.acquire('opt', key, async (path) => {
      await mergeDirectories(
        layers.map((layer) => layer.path),
        path,
      )
      // Hard links to the layers where the file system allows: an upper bound.
      return layers.reduce((sum, layer) => sum + layer.sizeBytes, 0)
    })
    held.push(opt)
    return { task: task.path, opt: opt.path, release }
  } catch (error) {
    release()
    throw error
  }
}

function unpacked({
  kind,
  sha256,
  blobs,
  cache,
  key,
}: {
  readonly kind: 'code' | 'layer'
  readonly sha256: string
  readonly blobs: Blobs
  readonly cache: DirectoryCache
  /** Of an encrypted package. */
  readonly key?: Uint8Array | undefined
}) {
  return cache.acquire(kind, sha256, async (path) => {
    const opened = `${path}.zip`
    try {
      if (key) {
        await pipeline(await blobs.get(sha256), openStream(key), createWriteStream(opened, { mode: 0o600 }))
      }
      const archive = key ? opened : ((await blobs.path(sha256)) ?? (await collect(blobs, sha256)))
      const { unzippedBytes } = await extractZip(archive, path)
      return unzippedBytes
    } catch (error) {
      if (error instanceof ArchiveRefused) {
        throw new LambdaError('InvalidZipFileException', error.message, { status: 502, cause: error })
      }
      if (error instanceof BlobMissing)
        throw serviceFailure(`The code package ${sha256} is not in the store`, error)
      throw error
    } finally {
      if (key) await rm(opened, { force: true })
    }
  })
}

/** Archives are bounded by the limits of an upload, so one fits in memory. */
async function collect(blobs: Blobs, sha256: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of await blobs.get(sha256)) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
