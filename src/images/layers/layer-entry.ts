/** What an unpacked layer holds: its entries in order, with the content of each file under a number. */

/** Short names: a layer has tens of thousands of them, and they are kept as JSON. */
export type LayerEntry =
  | { readonly k: 'd'; readonly p: string; readonly m: number }
  /** `n`: number of the file with the content, which has mode and time already. */
  | { readonly k: 'f'; readonly p: string; readonly n: number; readonly s: number }
  | { readonly k: 's'; readonly p: string; readonly t: string }
  /** A hard link to the path `t`. */
  | { readonly k: 'h'; readonly p: string; readonly t: string }
  /** Takes away the path from the layers below. */
  | { readonly k: 'w'; readonly p: string }
  /** Takes away what is in the directory in the layers below. */
  | { readonly k: 'o'; readonly p: string }

export interface LayerIndex {
  readonly entries: readonly LayerEntry[]
  /** Length of the tar file. */
  readonly tarBytes: number
  readonly fileBytes: number
}

/** Where the content of a file is, below the layer's directory; never more than a thousand in one directory. */
export const contentPath = (number: number) => `${Math.floor(number / 1000)}/${number % 1000}`

/**
 * The path below the root, without a leading or trailing slash; '' for the root itself. Undefined for one that can't be:
 * leading upwards, with names or as a whole longer than Linux takes.
 */
export function layerPath(name: string): string | undefined {
  const segments = name.split('/').filter((segment) => segment !== '' && segment !== '.')
  if (segments.some((segment) => segment === '..' || Buffer.byteLength(segment) > 255)) return undefined
  const path = segments.join('/')
  return path.includes('\0') || Buffer.byteLength(path) > MAX_PATH_BYTES ? undefined : path
}

/** Linux takes 4,096 for a path; this leaves room for the directory it is unpacked into. */
const MAX_PATH_BYTES = 3072
