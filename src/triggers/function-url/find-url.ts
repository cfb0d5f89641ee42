/** Function URLs by their id, remembered until they change: a request must not wait for the store. */
import type { FunctionUrl } from '#contracts/function-url.ts'
import { urlKey } from '#contracts/keys.ts'
import type { Meta } from '#store/port.ts'

/** URLs remembered; the one remembered longest is forgotten first. */
const MAX_REMEMBERED = 10_000

export interface UrlFinder {
  /** At once when it is remembered. A URL that does not exist is not remembered: nobody can fill this with guesses. */
  find(urlId: string): FunctionUrl | Promise<FunctionUrl | undefined>
  /** Stops following the store. */
  stop(): void
}

/** Follows the store from now on. Rejects when it can't be read. */
export async function createUrlFinder(meta: Pick<Meta, 'get' | 'rev' | 'watch'>): Promise<UrlFinder> {
  const remembered = new Map<string, FunctionUrl>()
  /** Counts changes, so that what was read while one happened is not remembered. */
  let changes = 0
  const stop = meta.watch(await meta.rev(), (changed) => {
    changes++
    for (const { key } of changed) remembered.delete(key)
  })
  const read = async (key: string) => {
    const before = changes
    const row = await meta.get(key)
    const url = row?.doc as unknown as FunctionUrl | undefined
    if (url && changes === before) {
      const oldest = remembered.keys().next().value
      if (remembered.size >= MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest)
      remembered.set(key, url)
    }
    return url
  }
  return {
    stop,
    find(urlId) {
      const key = urlKey(urlId)
      return remembered.get(key) ?? read(key)
    },
  }
}
