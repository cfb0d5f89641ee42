/** Container images on disk, as the OCI image specification lays them out: what skopeo and buildah push from. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { sha256Of } from './tar-builder.ts'

const OCI = 'application/vnd.oci.image'

export interface ImageOfLayout {
  /** As Go names it: `amd64`. */
  readonly architecture: string
  /** Uncompressed, each with what turns it into what is transferred. */
  readonly layers: readonly {
    readonly tar: Buffer
    readonly kind: 'tar' | 'gzip' | 'zstd'
    readonly bytes: Buffer
  }[]
  /** `Entrypoint` and its like. */
  readonly config: object
}

export interface Described {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

/** The blobs of an image; `put` keeps each. */
export function describeImage(
  { architecture, layers, config }: ImageOfLayout,
  put: (bytes: Buffer, digest: string) => void,
): Described {
  const described = (bytes: Buffer, mediaType: string): Described => {
    const digest = sha256Of(bytes)
    put(bytes, digest)
    return { mediaType, digest, size: bytes.byteLength }
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    layers: layers.map(({ kind, bytes }) =>
      described(bytes, `${OCI}.layer.v1.tar${kind === 'tar' ? '' : `+${kind}`}`),
    ),
    config: described(
      Buffer.from(
        JSON.stringify({
          architecture,
          os: 'linux',
          config,
          rootfs: { type: 'layers', diff_ids: layers.map(({ tar }) => sha256Of(tar)) },
        }),
      ),
      `${OCI}.config.v1+json`,
    ),
  }
  return described(Buffer.from(JSON.stringify(manifest)), manifest.mediaType)
}

/** An index of images for several platforms. */
export function describeIndex(
  images: readonly ImageOfLayout[],
  put: (bytes: Buffer, digest: string) => void,
): Described {
  const mediaType = `${OCI}.index.v1+json`
  const manifests = images.map((image) => ({
    ...describeImage(image, put),
    platform: { os: 'linux', architecture: image.architecture },
  }))
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }))
  const digest = sha256Of(bytes)
  put(bytes, digest)
  return { mediaType, digest, size: bytes.byteLength }
}

/** A layout of one image, or of an index of all of them, under the name `latest`. */
export function writeLayout(directory: string, images: readonly ImageOfLayout[]): Described {
  mkdirSync(join(directory, 'blobs', 'sha256'), { recursive: true })
  const put = (bytes: Buffer, digest: string) =>
    writeFileSync(join(directory, 'blobs', digest.replace(':', '/')), bytes)
  const [only] = images
  const described = images.length === 1 && only ? describeImage(only, put) : describeIndex(images, put)
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' }
  writeFileSync(
    join(directory, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...described, annotations }] }),
  )
  writeFileSync(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  return described
}
