/** Functions of package type Image: what only they have, and what they can't have. */
import { invalidParameter, LambdaError } from '#contracts/errors.ts'
import type {
  Architecture,
  CodePackage,
  ContainerImage,
  FunctionVersion,
  ImageOverrides,
} from '#contracts/function.ts'
import type { Images } from '#images/port.ts'
import type { Principal } from '#wire/service.ts'

import type { ImageReaders } from '../port.ts'

export interface ImageConfigRequest {
  readonly EntryPoint?: readonly string[] | undefined
  readonly Command?: readonly string[] | undefined
  readonly WorkingDirectory?: string | undefined
}

interface ZipMembers {
  readonly Runtime?: string | undefined
  readonly Handler?: string | undefined
  readonly Layers?: readonly string[] | undefined
  readonly ImageConfig?: ImageConfigRequest | undefined
}

const isEmpty = ({ EntryPoint, Command, WorkingDirectory }: ImageConfigRequest) =>
  !EntryPoint?.length && !Command?.length && !WorkingDirectory

/** Refuses members of the other package type. The texts on images are as clients have reported them, the last is unverified. */
export function assertMembersOf(packageType: FunctionVersion['packageType'], request: ZipMembers): void {
  const { Runtime, Handler, Layers, ImageConfig } = request
  if (packageType === 'Image' && Layers?.length && Runtime === undefined && Handler === undefined) {
    throw invalidParameter('Lambda layers are not supported for functions created with container images.')
  }
  if (packageType === 'Image' && (Runtime !== undefined || Handler !== undefined || Layers?.length)) {
    throw invalidParameter(
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
    )
  }
  if (packageType === 'Zip' && ImageConfig && !isEmpty(ImageConfig)) {
    throw invalidParameter('ImageConfig is not supported for functions of package type Zip.')
  }
}

/** Seen from AWS for GetFunctionCodeSigningConfig; that the other operations say the same is unverified. */
export function assertSignable(packageType: FunctionVersion['packageType']): void {
  if (packageType === 'Image')
    throw invalidParameter('Code signing is not supported for functions created with container images.')
}

/** The overrides after a request, which replaces all of them; undefined when it leaves none (recorded from AWS). */
export function readOverrides(request: ImageConfigRequest): ImageOverrides | undefined {
  if (isEmpty(request)) return undefined
  const { EntryPoint, Command, WorkingDirectory } = request
  return {
    ...(EntryPoint?.length && { entryPoint: EntryPoint }),
    ...(Command?.length && { command: Command }),
    ...(WorkingDirectory && { workingDirectory: WorkingDirectory }),
  }
}

/** An image has no package in our store; the digest that its name means now stands for its code. */
export async function fetchImage(
  {
    images,
    imageReaders,
  }: { readonly images: Pick<Images, 'resolve'>; readonly imageReaders?: ImageReaders | undefined },
  uri: string,
  { architecture, caller }: { readonly architecture: Architecture; readonly caller: Principal },
): Promise<{ readonly image: ContainerImage; readonly code: CodePackage }> {
  if (imageReaders && !(await imageReaders.mayRead(caller, uri))) {
    // Text as clients have reported it.
    throw new LambdaError(
      'AccessDeniedException',
      'Lambda does not have permission to access the ECR image. Check the ECR permissions.',
      { status: 403 },
    )
  }
  const { resolvedUri } = await images.resolve(uri, { architecture })
  const digest = resolvedUri.slice(resolvedUri.lastIndexOf(':') + 1)
  return { image: { uri, resolvedUri }, code: { blob: '', codeSha256: digest, sizeBytes: 0 } }
}
