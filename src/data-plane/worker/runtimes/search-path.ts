/** Where programs of the host lie. */
import { constants } from 'node:fs'
import { access, readdir, realpath } from 'node:fs/promises'
import { delimiter, dirname, isAbsolute, join } from 'node:path'

/** Looked at even when PATH does not name them. */
const ALWAYS = ['/usr/local/bin', '/usr/bin']

/** Existing executables called `name`, in search order, links resolved, each once. */
export async function executablesNamed(
  name: string,
  path: string | undefined,
  further: readonly string[] = [],
): Promise<readonly string[]> {
  const directories = [...(path ?? '').split(delimiter).filter(isAbsolute), ...ALWAYS, ...further]
  const found = new Set<string>()
  for (const directory of new Set(directories)) {
    const file = join(directory, name)
    try {
      await access(file, constants.X_OK)
      found.add(await realpath(file))
    } catch {
      // Not there, or not for us.
    }
  }
  return [...found]
}

/** Names in a directory; none when it cannot be read. */
export const namesIn = (directory: string): Promise<readonly string[]> => readdir(directory).catch(() => [])

/** The prefix of `<prefix>/bin/<program>`, or undefined for a program below /usr, which guests see as it is. */
export function prefixToMount(executable: string): string | undefined {
  return executable.startsWith('/usr/') ? undefined : dirname(dirname(executable))
}
