/** Opaque markers of lists: where the next page begins. */
import { invalidParameter } from '#contracts/errors.ts'

/** `kind` keeps a marker of one list from being used in another. */
export const encodeMarker = (kind: string, last: string): string =>
  Buffer.from(`${kind}\n${last}`).toString('base64url')

/** What was given to `encodeMarker`; '' for the first page. Throws when the marker is not one of ours (text unverified). */
export function decodeMarker(kind: string, marker: string | undefined): string {
  if (marker === undefined) return ''
  const [readKind, last] = Buffer.from(marker, 'base64url').toString('utf8').split('\n', 2)
  if (readKind !== kind || last === undefined) throw invalidParameter('Invalid marker')
  return last
}
