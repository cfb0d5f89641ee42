/** Unpacked layers and root file systems on disk: each layer once, whatever image or registry it came from. */
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createComplete } from '#archives/fresh-directory.ts'
import type { Clock } from '#kernel/clock.ts'
import { createSemaphore } from '#kernel/semaphore.ts'

import type { ImageConfig, PreparedImage } from '../port.ts'
import { buildTree } from './image-tree.ts'
import type { LayerEntry } from './layer-entry.ts'
import { unpackLayer, type LayerLimits } from './unpack-layer.ts'
import { writeTree } from './write-tree.ts'

export interface LayerStore {
  /** Length of a layer's tar file; undefined when it is not here. Asking keeps it from the next sweep. */
  tarBytes(diffId: string): Promise<number | undefined>
  /** Unpacks a layer that is not there yet; refuses one that does not hash to `diffId`, and nothing is left of it. */
  addLayer(diffId: string, tar: AsyncIterable<Uint8Array>, limits: LayerLimits): Promise<number>
  /** An image that has been put together before; asking for it keeps it from the next sweep. */
  find(key: string): Promise<PreparedImage | undefined>
  /** Puts an image together from layers that are all here. */
  assemble(
    key: string,
    options: {
      readonly diffIds: readonly string[]
      readonly config: ImageConfig
      readonly maxEntries: number
    },
  ): Promise<PreparedImage>
  /** Removes images that are not among `keys` and were not asked for since `before`, then layers without an image. */
  sweep(keys: ReadonlySet<string>, before: number): Promise<void>
}

interface ImageRecord {
  readonly diffIds: readonly string[]
  readonly config: ImageConfig
  readonly unpackedBytes: number
}

const INDEX = 'index.json'
const LAYER = 'layer.json'
const RECORD = 'image.json'
const hexOf = (diffId: string) => diffId.slice('sha256:'.length)

export function createLayerStore({
  directory,
  clock,
}: {
  readonly directory: string
  readonly clock: Pick<Clock, 'now'>
}): LayerStore {
  const layers = join(directory, 'layers')
  const images = join(directory, 'roots')
  /** Finding something and removing it exclude each other; both take a moment. */
  const turn = createSemaphore({ places: 1 })
  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
    const release = await turn.acquire()
    try {
      return await work()
    } finally {
      release()
    }
  }
  const layerDirectory = (diffId: string) => join(layers, hexOf(diffId))
  const readJson = async <T>(path: string) => JSON.parse(await readFile(path, 'utf8')) as T
  const exists = (path: string) =>
    stat(path).then(
      () => true,
      () => false,
    )
  const touch = async (path: string) => {
    const now = clock.now() / 1000
    await utimes(path, now, now)
  }

  const find = (key: string): Promise<PreparedImage | undefined> =>
    alone(async () => {
      const record = join(images, key, RECORD)
      if (!(await exists(record))) return undefined
      const { config, unpackedBytes } = await readJson<ImageRecord>(record)
      await touch(record)
      return { root: join(images, key, 'root'), config, unpackedBytes }
    })
  const names = (path: string) => readdir(path).catch(() => [])
  const isOld = async (path: string, before: number) =>
    stat(path).then(
      ({ mtimeMs }) => mtimeMs < before,
      () => false,
    )
  /** Gives it a name that nobody looks for, so that half of it is never found. */
  const removeIfOld = async (path: string, file: string, before: number) => {
    const doomed = `${path}.partial-gone`
    const isDoomed = await alone(async () => {
      if (!(await isOld(join(path, file), before))) return false
      await rename(path, doomed)
      return true
    })
    if (isDoomed) await rm(doomed, { recursive: true, force: true })
    return isDoomed
  }
  /** Directories of one kind; those that were left half made or half removed are gone afterwards. */
  const complete = async (parent: string, before: number) => {
    const all = await names(parent)
    for (const name of all) {
      if (!name.includes('.partial-')) continue
      const path = join(parent, name)
      if (await isOld(path, before)) await rm(path, { recursive: true, force: true })
    }
    return all.filter((name) => !name.includes('.partial-'))
  }

  return {
    tarBytes: (diffId) =>
      alone(async () => {
        const layer = join(layerDirectory(diffId), LAYER)
        if (!(await exists(layer))) return undefined
        await touch(layer)
        return (await readJson<{ readonly tarBytes: number }>(layer)).tarBytes
      }),
    async addLayer(diffId, tar, limits) {
      return createComplete(layerDirectory(diffId), async (temporary) => {
        const { entries, tarBytes } = await unpackLayer(tar, temporary, { diffId, limits })
        await writeFile(join(temporary, INDEX), JSON.stringify(entries))
        await writeFile(join(temporary, LAYER), JSON.stringify({ tarBytes }))
        return tarBytes
      })
    },
    find,
    async assemble(key, { diffIds, config, maxEntries }) {
      const layerEntries = await Promise.all(
        diffIds.map((diffId) => readJson<readonly LayerEntry[]>(join(layerDirectory(diffId), INDEX))),
      )
      const tree = await buildTree(layerEntries, maxEntries)
      await createComplete(join(images, key), async (temporary) => {
        const root = join(temporary, 'root')
        await mkdir(root)
        const { fileBytes } = await writeTree(tree, root, diffIds.map(layerDirectory))
        const record: ImageRecord = { diffIds, config, unpackedBytes: fileBytes }
        await writeFile(join(temporary, RECORD), JSON.stringify(record))
      })
      const prepared = await find(key)
      if (!prepared) throw new Error('An image is gone that was just put together')
      return prepared
    },
    async sweep(keys, before) {
      const used = new Set<string>()
      for (const name of await complete(images, before)) {
        const path = join(images, name)
        if (!keys.has(name) && (await removeIfOld(path, RECORD, before))) continue
        const { diffIds } = await readJson<ImageRecord>(join(path, RECORD))
        for (const diffId of diffIds) used.add(hexOf(diffId))
      }
      for (const name of await complete(layers, before)) {
        if (!used.has(name)) await removeIfOld(join(layers, name), LAYER, before)
      }
    },
  }
}
