/** Finds the external extensions of a function: every file in /opt/extensions is one. */
import { access, constants, readdir } from 'node:fs/promises'
import { join } from 'node:path'

export interface ExternalExtension {
  /** Of its file; under this name it registers. */
  readonly name: string
  readonly executable: boolean
}

/** `opt` is the host directory of the merged layers. In the order of their names, as AWS starts them. */
export async function externalExtensions(opt: string | undefined): Promise<readonly ExternalExtension[]> {
  if (opt === undefined) return []
  const directory = join(opt, 'extensions')
  let names: readonly string[]
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name)
  } catch {
    return []
  }
  return Promise.all(
    names.toSorted().map(async (name) => ({
      name,
      executable: await access(join(directory, name), constants.X_OK).then(
        () => true,
        () => false,
      ),
    })),
  )
}
