/** Finds images and makes them ready to run: by name in a registry, by content on this disk. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { Architecture } from '#contracts/function.ts'
import type { Clock } from '#kernel/clock.ts'
import { createSemaphore } from '#kernel/semaphore.ts'
import { GIB, HOUR_MS } from '#kernel/units.ts'
import type { Logger } from '#observability/port.ts'

import { ImageRefused } from './image-refused.ts'
import { requestError, stateError } from './lambda-errors.ts'
import { openLayer } from './layers/decompress.ts'
import { createLayerStore } from './layers/layer-store.ts'
import { SIZE_EXCEEDED, type LayerLimits } from './layers/unpack-layer.ts'
import {
  assertRunnable,
  choosePlatform,
  MAX_CONFIG_BYTES,
  parseConfiguration,
  parseManifest,
  type Configuration,
  type Descriptor,
  type Manifest,
} from './manifest.ts'
import type { ImageKey, Images, PreparedImage } from './port.ts'
import { byDigest, parseReference, type Reference } from './reference.ts'
import { createShared } from './shared-work.ts'
import type { ImageSource } from './source.ts'

/** The developer guide's limit, layers included. */
const MAX_IMAGE_BYTES = 10 * GIB
/** Each is an inode. AWS documents no limit. */
const MAX_IMAGE_ENTRIES = 500_000
/** Unpacking keeps a core busy. */
const UNPACK_AT_ONCE = 2
const WAITING_AT_MOST = 1000
/** A client of the API waits for it. */
const RESOLVE_DEADLINE_MS = 20_000
/** What nobody asked for within this time and no version names is removed. */
const GRACE_MS = HOUR_MS

interface Found {
  readonly reference: Reference
  readonly source: ImageSource
  /** Of what the reference names. */
  readonly digest: string
  readonly manifest: Manifest
  readonly manifestDigest: string
  readonly configuration: Configuration
}

export function createImages(options: {
  /** The registry that a host name means. */
  readonly sourceFor: (registry: string) => ImageSource
  readonly directory: string
  readonly clock: Clock
  readonly logger: Logger
  readonly maxImageBytes?: number
}): Images {
  const { sourceFor, clock, logger, maxImageBytes = MAX_IMAGE_BYTES } = options
  const store = createLayerStore({ directory: join(options.directory, 'unpacked'), clock })
  const places = createSemaphore({ places: UNPACK_AT_ONCE, maxWaiting: WAITING_AT_MOST })
  const preparing = createShared<PreparedImage>()
  const addingLayers = createShared<number>()

  const find = async (uri: string, architecture: Architecture, signal?: AbortSignal): Promise<Found> => {
    const reference = parseReference(uri)
    if (!reference) throw new ImageRefused('bad-name', 'The text names no image')
    const { repository } = reference
    const source = sourceFor(reference.registry)
    const named = await source.manifest(repository, reference.digest ?? reference.tag ?? '', signal)
    let found = named
    let manifest = parseManifest(named.bytes, named.mediaType)
    if (manifest.kind === 'index') {
      found = await source.manifest(repository, choosePlatform(manifest, architecture).digest, signal)
      manifest = parseManifest(found.bytes, found.mediaType)
      if (manifest.kind === 'index') throw new ImageRefused('unsupported', 'An index names another index')
    }
    assertRunnable(manifest)
    if (manifest.config.sizeBytes > MAX_CONFIG_BYTES) {
      throw new ImageRefused('damaged', 'The configuration is too large')
    }
    await using file = await source.blob(repository, manifest.config, signal)
    const configuration = parseConfiguration(await readFile(file.path))
    if (configuration.diffIds.length !== manifest.layers.length) {
      throw new ImageRefused('damaged', 'Manifest and configuration differ in the number of layers')
    }
    // No compression makes anything longer than this by itself, so it can't fit.
    if (compressedBytes(manifest) > maxImageBytes) throw new ImageRefused('too-large', SIZE_EXCEEDED)
    return { reference, source, digest: named.digest, manifest, manifestDigest: found.digest, configuration }
  }

  /** Length of the unpacked layer. */
  const fetchLayer = async (
    { source, reference: { repository } }: Found,
    layer: Descriptor,
    diffId: string,
    limits: LayerLimits,
    signal: AbortSignal,
  ): Promise<number> => {
    const there = await store.tarBytes(diffId)
    if (there !== undefined) return there
    await using file = await source.blob(repository, layer, signal)
    return await store.addLayer(diffId, openLayer(file.path, signal), limits)
  }

  const prepare = async (key: string, image: ImageKey, signal: AbortSignal): Promise<PreparedImage> => {
    const there = await store.find(key)
    if (there) return there
    const release = await places.acquire(signal)
    try {
      const startedAt = clock.monotonic()
      const found = await find(image.resolvedUri, image.architecture, signal)
      const { diffIds, config } = found.configuration
      let total = 0
      for (const [at, layer] of found.manifest.layers.entries()) {
        const diffId = diffIds[at] ?? ''
        const limits = { maxBytes: maxImageBytes - total, maxEntries: MAX_IMAGE_ENTRIES }
        total += await addingLayers.run(diffId, signal, (both) =>
          fetchLayer(found, layer, diffId, limits, both),
        )
        if (total > maxImageBytes) throw new ImageRefused('too-large', SIZE_EXCEEDED)
      }
      const prepared = await store.assemble(key, { diffIds, config, maxEntries: MAX_IMAGE_ENTRIES })
      logger.info('An image is ready', {
        image: image.resolvedUri,
        layers: diffIds.length,
        bytes: prepared.unpackedBytes,
        milliseconds: Math.round(clock.monotonic() - startedAt),
      })
      return prepared
    } finally {
      release()
    }
  }

  return {
    async resolve(uri, { architecture, signal }) {
      const deadline = new AbortController()
      const cancel = clock.after(RESOLVE_DEADLINE_MS, () =>
        deadline.abort(new ImageRefused('unreachable', 'it does not answer in time')),
      )
      try {
        const { reference, digest, manifest, manifestDigest, configuration } = await find(
          uri,
          architecture,
          signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal,
        )
        const resolvedUri = byDigest(reference, digest)
        const key = keyOf({ resolvedUri, architecture })
        const prepared = key === undefined ? undefined : await store.find(key)
        return {
          uri,
          resolvedUri,
          manifestDigest,
          architecture,
          config: configuration.config,
          compressedBytes: compressedBytes(manifest),
          ...(prepared && { unpackedBytes: prepared.unpackedBytes }),
        }
      } catch (error) {
        throw requestError(error, uri)
      } finally {
        cancel()
      }
    },
    async prepare(image, signal) {
      try {
        const key = keyOf(image)
        if (key === undefined) throw new ImageRefused('bad-name', 'The text names no image by its digest')
        return await preparing.run(key, signal, (both) => prepare(key, image, both))
      } catch (error) {
        throw stateError(error)
      }
    },
    async sweep(inUse) {
      const keys = new Set(inUse.map(keyOf).filter((key) => key !== undefined))
      await store.sweep(keys, clock.now() - GRACE_MS)
    },
  }
}

const compressedBytes = ({ layers }: Manifest) => layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)

/** Names an unpacked image on disk: by content and platform, whatever registry it is in. */
function keyOf({ resolvedUri, architecture }: ImageKey): string | undefined {
  const digest = parseReference(resolvedUri)?.digest
  if (digest === undefined) return undefined
  return createHash('sha256').update(`${digest} ${architecture}`).digest('hex')
}
