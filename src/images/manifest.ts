/** Manifests, indexes and configurations as OCI and Docker have them, read from bytes that nobody trusts. */
import type { Architecture } from '#contracts/function.ts'

import { ImageRefused } from './image-refused.ts'
import type { ImageConfig } from './port.ts'

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'
export const MANIFEST_TYPES: readonly string[] = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST]

/** Docker's registry takes no larger manifest. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024
export const MAX_CONFIG_BYTES = 4 * 1024 * 1024
/** Docker itself takes at most 127 layers. */
const MAX_LAYERS = 512

export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly sizeBytes: number
  /** Of layers that are not kept in registries. */
  readonly isForeign: boolean
}

export interface Manifest {
  readonly kind: 'image'
  readonly mediaType: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly subject?: string
  readonly artifactType?: string
  readonly annotations: object | undefined
}

export interface Index {
  readonly kind: 'index'
  readonly mediaType: string
  readonly manifests: readonly (Descriptor & { readonly os: string; readonly architecture: string })[]
  readonly subject?: string
  readonly artifactType?: string
  readonly annotations: object | undefined
}

const damaged = (what: string) => new ImageRefused('damaged', what)
const DIGEST = /^sha256:[a-f0-9]{64}$/

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const textOf = (value: unknown) => (typeof value === 'string' ? value : '')
const textsOf = (value: unknown) =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []

function parseJson(bytes: Uint8Array, what: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw new ImageRefused('damaged', `${what} is no JSON`, error)
  }
  if (!isObject(value)) throw damaged(`${what} is no JSON object`)
  return value
}

function descriptorOf(value: unknown): Descriptor {
  if (!isObject(value)) throw damaged('A manifest has a descriptor that is none')
  const { mediaType, digest, size, urls } = value
  if (typeof digest !== 'string' || !DIGEST.test(digest)) {
    throw new ImageRefused('unsupported', 'A manifest names a digest that is no SHA-256')
  }
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw damaged('A manifest names a size that is none')
  }
  return { mediaType: textOf(mediaType), digest, sizeBytes: size, isForeign: textsOf(urls).length > 0 }
}

/** `declared` is the Content-Type it came with; without any, what the manifest says of itself counts. */
export function parseManifest(bytes: Uint8Array, declared: string): Manifest | Index {
  const value = parseJson(bytes, 'A manifest')
  const own = textOf(value['mediaType'])
  const given = declared.split(';', 1)[0]?.trim() ?? ''
  const mediaType = MANIFEST_TYPES.includes(own) || !MANIFEST_TYPES.includes(given) ? own : given
  if (value['schemaVersion'] !== 2)
    throw new ImageRefused('unsupported', 'A manifest has another schema version')
  const subject = isObject(value['subject']) ? descriptorOf(value['subject']).digest : undefined
  const artifactType = textOf(value['artifactType'])
  const shared = {
    ...(subject !== undefined && { subject }),
    ...(artifactType !== '' && { artifactType }),
    annotations: isObject(value['annotations']) ? value['annotations'] : undefined,
  }
  if (
    Array.isArray(value['manifests']) &&
    (mediaType === OCI_INDEX || mediaType === DOCKER_LIST || mediaType === '')
  ) {
    return {
      kind: 'index',
      mediaType: mediaType || OCI_INDEX,
      manifests: value['manifests'].map((item: unknown) => {
        const platform = isObject(item) && isObject(item['platform']) ? item['platform'] : {}
        return {
          ...descriptorOf(item),
          os: textOf(platform['os']),
          architecture: textOf(platform['architecture']),
        }
      }),
      ...shared,
    }
  }
  const { layers, config } = value
  if (!Array.isArray(layers) || ![OCI_MANIFEST, DOCKER_MANIFEST, ''].includes(mediaType)) {
    throw new ImageRefused('unsupported', `Manifests of type "${mediaType}" are not read`)
  }
  if (layers.length > MAX_LAYERS) throw new ImageRefused('too-large', 'An image has too many layers')
  return {
    kind: 'image',
    mediaType: mediaType || OCI_MANIFEST,
    config: descriptorOf(config),
    layers: layers.map(descriptorOf),
    ...shared,
  }
}

const PLATFORMS = { x86_64: 'amd64', arm64: 'arm64' } as const

/** The image of an index that runs on Linux with this architecture. */
export function choosePlatform(index: Index, architecture: Architecture): Descriptor {
  const wanted = PLATFORMS[architecture]
  const found = index.manifests.find(({ os, architecture }) => os === 'linux' && architecture === wanted)
  if (!found) throw new ImageRefused('no-such-platform', `There is no image for linux/${wanted} in the index`)
  return found
}

export interface Configuration {
  readonly config: ImageConfig
  /** Digests of the uncompressed layers. */
  readonly diffIds: readonly string[]
}

export function parseConfiguration(bytes: Uint8Array): Configuration {
  const value = parseJson(bytes, 'A configuration')
  const config = isObject(value['config']) ? value['config'] : {}
  const rootfs = isObject(value['rootfs']) ? value['rootfs'] : {}
  const diffIds = textsOf(rootfs['diff_ids'])
  if (diffIds.some((diffId) => !DIGEST.test(diffId))) {
    throw new ImageRefused('unsupported', 'A configuration names a layer by no SHA-256')
  }
  return {
    diffIds,
    config: {
      entrypoint: textsOf(config['Entrypoint']),
      cmd: textsOf(config['Cmd']),
      workingDirectory: textOf(config['WorkingDir']),
      environment: textsOf(config['Env']).map((entry) => {
        const equals = entry.indexOf('=')
        return equals === -1 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)]
      }),
      user: textOf(config['User']),
    },
  }
}

const LAYER_TYPES =
  /^application\/vnd\.(?:oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+(?:gzip|zstd))?|docker\.image\.rootfs\.(?:foreign\.)?diff\.tar(?:\.gzip|\.zstd)?)$/
const CONFIG_TYPES = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
])

/** Refuses artifacts that are no images: charts, signatures, attestations. */
export function assertRunnable({ config, layers }: Manifest): void {
  const others = layers.filter(({ mediaType, isForeign }) => isForeign || !LAYER_TYPES.test(mediaType))
  if (!CONFIG_TYPES.has(config.mediaType) || others.length > 0) {
    throw new ImageRefused('unsupported', 'The configuration or a layer is of a type that is not read')
  }
}
