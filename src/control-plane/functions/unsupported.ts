/** Kinds of functions that do not exist here yet. They are refused: accepting them would promise what does not happen. */
import { invalidParameter, LambdaError } from '#contracts/errors.ts'

export interface UnsupportedRequest {
  readonly PackageType?: string | undefined
  readonly Code?: { readonly ImageUri?: string | undefined } | undefined
  readonly ImageConfig?: object | undefined
  readonly FileSystemConfigs?: readonly object[] | undefined
  readonly CodeSigningConfigArn?: string | undefined
  readonly TenancyConfig?: object | undefined
  readonly CapacityProviderConfig?: object | undefined
  readonly DurableConfig?: object | undefined
  readonly PublishTo?: string | undefined
}

export function assertSupported(request: UnsupportedRequest): void {
  if (request.PackageType === 'Image' || request.Code?.ImageUri !== undefined) {
    throw invalidParameter('Container images (PackageType Image) are not supported yet.')
  }
  if (request.CodeSigningConfigArn) {
    // No such configuration can exist here, so that AWS's answer for an unknown one is the true one (recorded).
    throw new LambdaError(
      'CodeSigningConfigNotFoundException',
      `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${request.CodeSigningConfigArn}.`,
      { status: 404 },
    )
  }
  const refused = [
    ['FileSystemConfigs', (request.FileSystemConfigs?.length ?? 0) > 0],
    ['ImageConfig', request.ImageConfig !== undefined && Object.keys(request.ImageConfig).length > 0],
    ['TenancyConfig', request.TenancyConfig !== undefined],
    ['CapacityProviderConfig', request.CapacityProviderConfig !== undefined],
    ['DurableConfig', request.DurableConfig !== undefined],
    ['PublishTo', request.PublishTo !== undefined],
  ] as const
  const first = refused.find(([, isGiven]) => isGiven)
  if (first) throw invalidParameter(`${first[0]} is not supported yet.`)
}
