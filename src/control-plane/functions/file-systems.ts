/** FileSystemConfigs: access points of EFS and of S3 Files, which stand for directories of this host. */
import { invalidParameter } from '#contracts/errors.ts'
import type { FileSystemMount, FunctionVersion } from '#contracts/function.ts'

import { isInVpc } from './vpc.ts'

export interface FileSystemRequest {
  readonly Arn?: string | undefined
  readonly LocalMountPath?: string | undefined
  readonly S3FilesConfig?: { readonly DirectS3Read?: string | undefined } | undefined
}

const isS3Files = (arn: string) => /^arn:[^:]*:s3files:/.test(arn)

/**
 * What a version keeps of them; an empty list removes them. `exists` says whether this host has a directory for an
 * access point. Both texts are unverified; the second rule is the API reference's.
 */
export function readFileSystems(
  request: readonly FileSystemRequest[],
  exists: (arn: string) => boolean,
): readonly FileSystemMount[] {
  return request.map(({ Arn: arn = '', LocalMountPath: localMountPath = '', S3FilesConfig }) => {
    if (!exists(arn)) throw invalidParameter(`The access point ${arn} does not exist.`)
    if (S3FilesConfig && !isS3Files(arn)) {
      throw invalidParameter('S3FilesConfig is only valid for access points of S3 Files.')
    }
    const directS3Read = isS3Files(arn) ? (S3FilesConfig?.DirectS3Read ?? 'AUTO') : undefined
    return { arn, localMountPath, ...(directS3Read !== undefined && { directS3Read }) }
  })
}

/** AWS reaches file systems through the VPC only (both texts as clients have reported them). */
export function assertReachable(before: FunctionVersion, changed: FunctionVersion): void {
  const [first] = changed.fileSystems ?? []
  if (!first || isInVpc(changed)) return
  throw invalidParameter(
    isInVpc(before)
      ? `Function VPC configuration cannot be removed with access point ${first.arn} referenced.`
      : `Function must be configured to execute in a VPC to reference access point ${first.arn}.`,
  )
}
