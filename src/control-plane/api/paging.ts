/** Pages of a list: at most fifty items, and an opaque marker to go on from. */
import { invalidParameter } from '#contracts/errors.ts'

/** AWS accepts larger numbers and answers fifty (API model). */
const MAX_ITEMS = 50

export const pageSize = (maxItems: number | undefined, most = MAX_ITEMS) => Math.min(maxItems ?? most, most)

/** The place after which the next page begins, as text that means nothing to the client. */
export const toMarker = (place: readonly string[]) => Buffer.from(JSON.stringify(place)).toString('base64url')

/** The place in a marker; undefined without one. Throws for a marker that was never given out. */
export function fromMarker(marker: string | undefined, parts: number): readonly string[] | undefined {
  if (!marker) return undefined
  try {
    const place: unknown = JSON.parse(Buffer.from(marker, 'base64url').toString('utf8'))
    if (Array.isArray(place) && place.length === parts && place.every((part) => typeof part === 'string')) {
      return place
    }
  } catch {
    // Falls through to the refusal.
  }
  // Text unverified.
  throw invalidParameter('The provided marker is invalid.')
}

/** `items` cut to the page, with a marker when there were more. Fetch one item more than the page holds. */
export function cutPage<Item>(
  items: readonly Item[],
  size: number,
  placeOf: (item: Item) => readonly string[],
): { readonly page: readonly Item[]; readonly NextMarker?: string } {
  const page = items.slice(0, size)
  const last = page.at(-1)
  if (items.length <= size || last === undefined) return { page }
  return { page, NextMarker: toMarker(placeOf(last)) }
}
