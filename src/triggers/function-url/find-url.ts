import type { FunctionUrl } from '#contracts/function-url.ts'
import { urlKey } from '#contracts/keys.ts'
import type { DocumentCache, Known } from '#documents/port.ts'

/** Function URLs by their id; at once when it is known already. */
export type FindUrl = (urlId: string) => FunctionUrl | undefined | Promise<FunctionUrl | undefined>

const urlOf = (known: Known) => (known ?? undefined) as unknown as FunctionUrl | undefined

export function createUrlFinder(documents: Pick<DocumentCache, 'read'>): FindUrl {
  return (urlId) => {
    const known = documents.read(urlKey(urlId))
    return known instanceof Promise ? known.then(urlOf) : urlOf(known)
  }
}
