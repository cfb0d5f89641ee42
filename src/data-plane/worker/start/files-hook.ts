import type { PackageKeys } from '#contracts/package-keys.ts'
import type { CodeFiles } from '#data-plane/worker/code/code-files.ts'
import type { DirectoryCache } from '#data-plane/worker/code/directory-cache.ts'
import {
  externalExtensions,
  type ExternalExtension,
} from '#data-plane/worker/extensions/external-extensions.ts'
import { imageExtensions } from '#data-plane/worker/image/image-extensions.ts'
import type { RuntimeFiles } from '#data-plane/worker/runtimes/runtime-files.ts'
import { codeHook } from '#data-plane/worker/start/code-hook.ts'
import { imageHook } from '#data-plane/worker/start/image-hook.ts'
import { interpreterHook, type RuntimeParts } from '#data-plane/worker/start/interpreter-hook.ts'
import type { Subject, Undo } from '#data-plane/worker/start/stage.ts'
import type { Images, PreparedImage } from '#images/port.ts'
import type { Blobs } from '#store/port.ts'

/** Everything that a function is made of: an image, or its package with what runs it. */
export type FunctionFiles = { readonly external: readonly ExternalExtension[] } & (
  | { readonly image: PreparedImage; readonly code?: undefined; readonly parts?: undefined }
  | { readonly image?: undefined; readonly code: CodeFiles; readonly parts: RuntimeParts }
)

export async function filesHook(
  subject: Subject,
  host: {
    readonly images: Pick<Images, 'prepare'> | undefined
    readonly blobs: Blobs
    readonly cache: DirectoryCache
    readonly packageKeys: Pick<PackageKeys, 'open'>
    readonly runtimes: RuntimeFiles
    readonly clientsDirectory: string
  },
  undo: Undo,
): Promise<FunctionFiles> {
  if (subject.version.packageType === 'Image') {
    const image = await imageHook(subject.version, host.images)
    return { image, external: imageExtensions(image.root) }
  }
  const code = await codeHook(subject, host, undo)
  const [parts, external] = await Promise.all([interpreterHook(subject, host), externalExtensions(code.opt)])
  return { code, parts, external }
}
