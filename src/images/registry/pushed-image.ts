/** What the registry notes of a manifest that somebody pushes. */
import { createHash } from 'node:crypto'

import type { EcrImage } from '#contracts/ecr.ts'

import { parseManifest } from '../manifest.ts'

/** Throws `ImageRefused` for what is no manifest. */
export function imageOf(
  bytes: Uint8Array,
  contentType: string,
  now: number,
): { readonly image: EcrImage; readonly kind: 'image' | 'index' } {
  const manifest = parseManifest(bytes, contentType)
  const { kind, subject, artifactType, annotations } = manifest
  const own = manifest.kind === 'image' ? [manifest.config, ...manifest.layers] : manifest.manifests
  const layers = manifest.kind === 'image' ? manifest.layers : []
  return {
    kind,
    image: {
      digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
      mediaType: manifest.mediaType,
      manifestBytes: bytes.byteLength,
      blobs: own.filter(({ isForeign }) => !isForeign).map(({ digest }) => digest),
      layerBytes: layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      pushedAt: now,
      ...(manifest.kind === 'image' && { configType: manifest.config.mediaType }),
      ...(artifactType !== undefined && { artifactType }),
      ...(subject !== undefined && { subject }),
      ...(annotations && { annotations: JSON.stringify(annotations) }),
    },
  }
}
