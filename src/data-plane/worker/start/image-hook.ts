import { serviceFailure } from '#contracts/errors.ts'
import { imageKeyOf, type FunctionVersion } from '#contracts/function.ts'
import type { Images, PreparedImage } from '#images/port.ts'

/** Rejects with a `LambdaError` whose code is a reason for a function that can't become Active. */
export async function prepareImage(
  version: FunctionVersion,
  images: Pick<Images, 'prepare'> | undefined,
): Promise<PreparedImage> {
  const key = imageKeyOf(version)
  if (!key) throw serviceFailure('The image of this function was never looked up in its registry')
  if (!images) throw serviceFailure('Container images cannot be run here: nothing fetches them')
  return images.prepare(key)
}

/** The root file system of the version's image; it is fetched again when it is not here any more. */
export async function imageHook(
  version: FunctionVersion,
  images: Pick<Images, 'prepare'> | undefined,
): Promise<PreparedImage> {
  try {
    return await prepareImage(version, images)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw serviceFailure(`The image of the function could not be made ready: ${why}`, error)
  }
}
