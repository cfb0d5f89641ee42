/** ECR's errors. Every status is 400. Texts as recorded from AWS unless a comment says otherwise. */
import type { Scope } from '#contracts/arn.ts'
import { LambdaError } from '#contracts/errors.ts'

const failed = (code: string, message: string) => new LambdaError(code, message, { status: 400 })

export const invalid = (parameter: string, constraint: string) =>
  failed(
    'InvalidParameterException',
    `Invalid parameter at '${parameter}' failed to satisfy constraint: '${constraint}'`,
  )
const inRegistry = ({ account }: Pick<Scope, 'account'>) => `in the registry with id '${account}'`
export const noSuchRepository = (where: Scope, name: string) =>
  failed(
    'RepositoryNotFoundException',
    `The repository with name '${name}' does not exist ${inRegistry(where)}`,
  )
export const repositoryExists = (where: Scope, name: string) =>
  failed(
    'RepositoryAlreadyExistsException',
    `The repository with name '${name}' already exists ${inRegistry(where)}`,
  )
export const repositoryNotEmpty = ({ account }: Scope, name: string) =>
  failed(
    'RepositoryNotEmptyException',
    `The repository with name '${name}' in registry with id '${account}' cannot be deleted because it still contains images`,
  )
export const noSuchPolicy = (where: Scope, name: string) =>
  failed(
    'RepositoryPolicyNotFoundException',
    `Repository policy does not exist for the repository with name '${name}' ${inRegistry(where)}`,
  )
export const noSuchLifecyclePolicy = (where: Scope, name: string) =>
  failed(
    'LifecyclePolicyNotFoundException',
    `Lifecycle policy does not exist for the repository with name '${name}' ${inRegistry(where)}`,
  )
export const noSuchImage = (
  where: Scope,
  name: string,
  { imageDigest = 'null', imageTag = 'null' }: { readonly imageDigest?: string; readonly imageTag?: string },
) =>
  failed(
    'ImageNotFoundException',
    `The image with imageId {imageDigest:'${imageDigest}', imageTag:'${imageTag}'} does not exist within the repository with name '${name}' ${inRegistry(where)}`,
  )
export const imageExists = (where: Scope, name: string, digest: string, tag: string | undefined) =>
  failed(
    'ImageAlreadyExistsException',
    `Image with digest '${digest}' and tag '${tag ?? 'null'}' already exists in the repository with name '${name}' in registry with id '${where.account}'`,
  )
/** Text unverified. */
export const otherDigest = () =>
  failed(
    'ImageDigestDoesNotMatchException',
    'The specified digest does not match the digest of the image manifest',
  )
/** Text unverified. */
export const tooManyTags = (name: string) =>
  failed('TooManyTagsException', `The repository with name '${name}' can have at most 50 tags`)
