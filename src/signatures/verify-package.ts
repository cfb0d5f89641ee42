/** Looks for a code package's signature and checks it. */
import type { X509Certificate } from 'node:crypto'

import { DEFAULT_ARCHIVE_LIMITS } from '#archives/archive-limits.ts'
import { readEntry } from '#archives/zip-content.ts'
import { listZip } from '#archives/zip-listing.ts'
import { openZipSource, type ZipInput } from '#archives/zip-source.ts'
import type { CodeSignature } from '#contracts/code-signing.ts'

import { verifyContent } from './cms.ts'
import { digestPackage, SIGNATURE_FILE } from './package-digest.ts'

/** A signature of four certificates has 4 KB. */
const MAX_SIGNATURE_BYTES = 64 * 1024

/**
 * Undefined: the package is not signed. `broken` says why a signature is none. The archive must have been found sound
 * (see archives/verify-zip.ts): throws `ArchiveRefused` otherwise.
 */
export async function verifyPackage(
  zip: ZipInput,
  roots: () => Promise<readonly X509Certificate[]>,
): Promise<CodeSignature | undefined> {
  const source = openZipSource(zip)
  try {
    const { named } = await listZip(source, DEFAULT_ARCHIVE_LIMITS)
    const file = named.find(({ path }) => path === SIGNATURE_FILE)
    if (!file) return undefined
    if (file.kind !== 'file' || file.sizeBytes > MAX_SIGNATURE_BYTES) return { broken: 'No signature file' }
    const pem = Buffer.from(readEntry(source, file))
    const digest = await digestPackage(source, named)
    const trusted = await roots()
    try {
      return verifyContent(digest, pem, trusted)
    } catch (error) {
      // Whatever a hostile file makes the decoders say, it is no signature.
      return { broken: error instanceof Error ? error.message : String(error) }
    }
  } finally {
    source.close()
  }
}
