/** What a code package's signature is over: names and contents of its entries, in the archive's order. */
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { readEntry, streamEntry } from '#archives/zip-content.ts'
import type { ListedEntry } from '#archives/zip-listing.ts'
import type { ZipSource } from '#archives/zip-source.ts'

/**
 * Directory and file as AWS Signer names them. As read from zips that AWS signed: its underscore is no mistake here.
 */
export const SIGNATURE_DIRECTORY = 'META_INF/'
export const SIGNATURE_FILE = `${SIGNATURE_DIRECTORY}aws_signer_signature_v1.0.SF`

const SMALL_BYTES = 128 * 1024
const BYTES_PER_TURN = 512 * 1024

/**
 * SHA-384 over name and content of each entry, one after the other without any frame between them, directories included
 * and the signature file left out. It is AWS's form: compression, times and modes may change, order and names may not.
 * `further` are names that are about to be added. Throws `ArchiveRefused`.
 */
export async function digestPackage(
  source: ZipSource,
  named: readonly ListedEntry[],
  further: readonly string[] = [],
): Promise<Buffer> {
  const hash = createHash('sha384')
  let pending = 0
  for (const entry of named) {
    if (entry.path === SIGNATURE_FILE) continue
    hash.update(entry.name)
    if (entry.sizeBytes <= SMALL_BYTES && entry.compressedBytes <= SMALL_BYTES) {
      hash.update(readEntry(source, entry))
    } else {
      await streamEntry(source, entry, async (chunk) => void hash.update(chunk))
    }
    pending += entry.sizeBytes + 4096
    if (pending < BYTES_PER_TURN) continue
    pending = 0
    await nextTurn()
  }
  for (const name of further) hash.update(name)
  return hash.digest()
}
