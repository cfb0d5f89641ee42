/** What the store keeps of ECR: repositories of an account and region, and what is in them. */
import type { Scope } from '#contracts/arn.ts'

export interface EcrRepository extends Scope {
  /** Never used again: what is in the repository is kept under it, and belongs to nobody once the repository is gone. */
  readonly id: string
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly tagMutability: string
  /** Wildcards of tags that `tagMutability` is not for, with the API's members. */
  readonly mutabilityExclusions: readonly { readonly filter: string; readonly filterType: string }[]
  readonly scanOnPush: boolean
  readonly encryption: { readonly encryptionType: string; readonly kmsKey?: string }
  readonly tags: readonly { readonly Key: string; readonly Value: string }[]
  readonly policy?: string
  readonly lifecyclePolicy?: { readonly text: string; readonly evaluatedAt: number }
}

export interface EcrImage {
  /** Of the manifest, which is a blob. */
  readonly digest: string
  readonly mediaType: string
  readonly manifestBytes: number
  /** Layers and configuration; of an index the images that it names. */
  readonly blobs: readonly string[]
  /** Sum of the layers as they are transferred. */
  readonly layerBytes: number
  readonly pushedAt: number
  /** Media type of the configuration. */
  readonly configType?: string
  readonly artifactType?: string
  /** The manifest that this one is about. */
  readonly subject?: string
  readonly annotations?: string
}

export interface EcrTag {
  readonly digest: string
}

/** A blob that may be read through a repository. */
export interface EcrBlob {
  readonly sizeBytes: number
  /** When somebody last asked for it or named it. What no image names is swept a day later. */
  readonly seenAt: number
}

const scope = ({ account, region }: Scope) => `${account}/${region}`

export const ALL_ECR_REPOSITORIES = 'ecr-repository/'
export const ecrRepositoryPrefix = (where: Scope) => `${ALL_ECR_REPOSITORIES}${scope(where)}/`
export const ecrRepositoryKey = (where: Scope, name: string) => `${ecrRepositoryPrefix(where)}${name}`
/** What is in repositories: `ecr-content/REPOSITORY/KIND/NAME`. */
export const ALL_ECR_CONTENT = 'ecr-content/'
export const ecrContentPrefix = (id: string) => `${ALL_ECR_CONTENT}${id}/`
export const ecrImagePrefix = (id: string) => `${ecrContentPrefix(id)}image/`
export const ecrImageKey = (id: string, digest: string) => `${ecrImagePrefix(id)}${digest}`
export const ecrTagPrefix = (id: string) => `${ecrContentPrefix(id)}tag/`
export const ecrTagKey = (id: string, tag: string) => `${ecrTagPrefix(id)}${tag}`
export const ecrBlobPrefix = (id: string) => `${ecrContentPrefix(id)}blob/`
export const ecrBlobKey = (id: string, digest: string) => `${ecrBlobPrefix(id)}${digest}`

const partition = (region: string) =>
  region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
export const ecrRepositoryArn = (where: Scope, name: string) =>
  `arn:${partition(where.region)}:ecr:${where.region}:${where.account}:repository/${name}`

/** Whether a push may move the tag to another image. */
export function isTagImmutable(repository: EcrRepository, tag: string): boolean {
  const isExcluded = repository.mutabilityExclusions.some(({ filter }) => wildcard(filter).test(tag))
  const mutability = repository.tagMutability
  if (mutability === 'IMMUTABLE') return true
  if (mutability === 'IMMUTABLE_WITH_EXCLUSION') return !isExcluded
  if (mutability === 'MUTABLE_WITH_EXCLUSION') return isExcluded
  return false
}

/** At most two `*` (API model), so matching stays cheap. */
const wildcard = (filter: string) =>
  new RegExp(`^${filter.replaceAll(/[^\w*]/g, '\\$&').replaceAll('*', '.*')}$`)

/** User name and secret of a token for `docker login`, sealed under this context. */
export const ECR_TOKEN_CONTEXT = 'ecr-token'

export interface EcrToken extends Scope {
  readonly accessKeyId: string
  /** Of whom it was made for. */
  readonly arn: string
  readonly expiresAt: number
}
