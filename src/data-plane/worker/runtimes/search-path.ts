/** Where programs of the host lie. */
import { constants } from 'node:fs'
import { access, readdir, realpath } from 'node:fs/promises'
import { homedir } from 'node:os'
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

/** True for what every guest sees anyway. */
export const seenByGuests = (path: string): boolean => path === '/usr' || path.startsWith('/usr/')

/**
 * May this directory be shown to guests as /var/lang? At least two levels deep and neither a home directory nor above
 * one: an interpreter in `~/bin` or `/opt/bin` would otherwise show every guest what else lies there.
 */
export function isShowable(prefix: string): boolean {
  const home = homedir()
  const levels = prefix.split('/').filter((name) => name !== '').length
  const isHome =
    prefix === home || home.startsWith(`${prefix}/`) || ['/home', '/Users'].includes(dirname(prefix))
  return levels >= 2 && !isHome
}
