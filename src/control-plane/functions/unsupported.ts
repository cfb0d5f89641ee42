/** Kinds of functions that do not exist here yet. They are refused: accepting them would promise what does not happen. */
import { invalidParameter } from '#contracts/errors.ts'

export interface UnsupportedRequest {
  readonly PackageType?: string | undefined
  readonly Code?: { readonly ImageUri?: string | undefined } | undefined
  readonly ImageConfig?: object | undefined
  readonly FileSystemConfigs?: readonly object[] | undefined
  readonly TenancyConfig?: object | undefined
}

export function assertSupported(request: UnsupportedRequest): void {
  if (request.PackageType === 'Image' || request.Code?.ImageUri !== undefined) {
    throw invalidParameter('Container images (PackageType Image) are not supported yet.')
  }
  const refused = [
    ['FileSystemConfigs', (request.FileSystemConfigs?.length ?? 0) > 0],
    ['ImageConfig', request.ImageConfig !== undefined && Object.keys(request.ImageConfig).length > 0],
    ['TenancyConfig', request.TenancyConfig !== undefined],
  ] as const
  const first = refused.find(([, isGiven]) => isGiven)
  if (first) throw invalidParameter(`${first[0]} is not supported yet.`)
}
