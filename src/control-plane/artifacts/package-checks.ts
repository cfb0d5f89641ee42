/** AWS's limits on deployment packages and layers, with its texts. */
import { DEFAULT_ARCHIVE_LIMITS, type ArchiveLimits } from '#archives/archive-limits.ts'
import { ArchiveRefused } from '#archives/archive-refused.ts'
import { verifyZip } from '#archives/verify-zip.ts'
import type { ZipInput } from '#archives/zip-source.ts'
import { invalidParameter, LambdaError } from '#contracts/errors.ts'
import { MAX_UNZIPPED_BYTES, MAX_ZIP_BYTES } from '#contracts/limits.ts'
import { SIGNATURE_FILE } from '#signatures/package-digest.ts'

/** Recorded from AWS. */
const NOT_A_ZIP = 'Could not unzip uploaded file. Please check your file, then try to upload again.'
const EMPTY = 'Uploaded file must be a non-empty zip'

export const emptyPackage = () => invalidParameter(EMPTY)
export const unzippedTooLarge = () =>
  invalidParameter(`Unzipped size must be smaller than ${MAX_UNZIPPED_BYTES} bytes`)
/** Not in the API model, but what AWS sends for a zip in the request. */
export const zippedTooLarge = () =>
  new LambdaError(
    'RequestEntityTooLargeException',
    `Zipped size must be smaller than ${MAX_ZIP_BYTES} bytes`,
    { status: 413 },
  )

/**
 * Unpacks the archive to nowhere, so that a broken one is refused now and not when the function starts.
 * Throws the `LambdaError` that AWS sends.
 */
export async function checkPackage(
  zip: ZipInput,
  limits: ArchiveLimits = DEFAULT_ARCHIVE_LIMITS,
): Promise<{ readonly unzippedBytes: number; readonly isSigned: boolean }> {
  try {
    const { unzippedBytes, fileCount, has } = await verifyZip(zip, limits)
    if (fileCount === 0) throw emptyPackage()
    return { unzippedBytes, isSigned: has(SIGNATURE_FILE) }
  } catch (error) {
    if (!(error instanceof ArchiveRefused)) throw error
    if (error.reason === 'too-large') throw unzippedTooLarge()
    // AWS has one text for whatever it cannot unpack; the reason is kept for the log.
    throw new LambdaError('InvalidParameterValueException', NOT_A_ZIP, { status: 400, cause: error })
  }
}
