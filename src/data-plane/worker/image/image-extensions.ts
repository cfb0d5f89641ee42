/** External extensions that an image brings; a function of an image has no layers. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

import type { ExternalExtension } from '#data-plane/worker/extensions/external-extensions.ts'
import { resolveInRoot } from '#kernel/resolve-in-root.ts'

const DIRECTORY = '/opt/extensions'
const OTHERS_EXECUTE = 0o001

/** In the order of their names, as AWS starts them. */
export function imageExtensions(root: string): readonly ExternalExtension[] {
  const directory = resolveInRoot(root, DIRECTORY)
  if (directory === undefined || !statSync(directory).isDirectory()) return []
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name)
    .toSorted()
    .map((name) => {
      const file = resolveInRoot(root, join(DIRECTORY, name))
      const stats = file === undefined ? undefined : statSync(file)
      return { name, executable: stats?.isFile() === true && (stats.mode & OTHERS_EXECUTE) !== 0 }
    })
}
