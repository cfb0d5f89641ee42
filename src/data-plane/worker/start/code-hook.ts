import type { PackageKeys } from '#contracts/package-keys.ts'
import type { Undo, Subject } from '#data-plane/worker/start/stage.ts'
import { acquireCodeFiles, type CodeFiles } from '#data-plane/worker/code/code-files.ts'
import type { DirectoryCache } from '#data-plane/worker/code/directory-cache.ts'
import type { Blobs } from '#store/port.ts'

/** Code and layers, unpacked; they stay in the cache as long as the environment lives. */
export async function codeHook(
  { version }: Subject,
  host: {
    readonly blobs: Blobs
    readonly cache: DirectoryCache
    readonly packageKeys: Pick<PackageKeys, 'open'>
  },
  undo: Undo,
): Promise<CodeFiles> {
  const files = await acquireCodeFiles({ version, ...host })
  undo.defer(() => files.release())
  return files
}
