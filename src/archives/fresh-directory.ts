/** A directory that appears complete or not at all. */
import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Lets `fill` work in a temporary directory beside `directory` and renames it into place. `directory` must not exist, or
 * be empty. When anything fails the temporary directory is removed and `directory` is untouched.
 */
export async function createComplete<T>(
  directory: string,
  fill: (temporary: string) => Promise<T>,
): Promise<T> {
  await mkdir(dirname(directory), { recursive: true })
  const temporary = `${directory}.partial-${randomBytes(6).toString('hex')}`
  await mkdir(temporary, { mode: 0o700 })
  try {
    const result = await fill(temporary)
    await rename(temporary, directory)
    return result
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw error
  }
}
