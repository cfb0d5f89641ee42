/** Names of images: `registry/repository:tag@sha256:digest`, and which of them mean our own registry. */
import type { Scope } from '#contracts/arn.ts'

export interface Reference {
  /** Host and port as written. */
  readonly registry: string
  readonly repository: string
  /** At least one of both; the digest decides. */
  readonly tag?: string
  /** `sha256:` and 64 lower-case hexadecimal digits. */
  readonly digest?: string
}

// Source of these patterns: the OCI distribution specification and the grammar of Docker's references.
const PATH = '[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*)*'

const REPOSITORY = new RegExp(`^${PATH}$`)
const REFERENCE = new RegExp(
  `^(?<registry>[a-zA-Z0-9.-]+(?::\\d{1,5})?|\\[[a-fA-F0-9:]+\\](?::\\d{1,5})?)/(?<repository>${PATH})` +
    '(?::(?<tag>\\w[\\w.-]{0,127}))?(?:@(?<digest>sha256:[a-f0-9]{64}))?$',
)
const MAX_LENGTH = 1024

export const isRepository = (text: string) => REPOSITORY.test(text)
export const isTag = (text: string) => /^\w[\w.-]{0,127}$/.test(text)
export const isDigest = (text: string) => /^sha256:[a-f0-9]{64}$/.test(text)

/**
 * The parts of an image's name; undefined when it is none. The registry must be named, and a tag or a digest: AWS takes
 * no image without (as clients have reported it).
 */
export function parseReference(uri: string): Reference | undefined {
  const groups = uri.length > MAX_LENGTH ? undefined : REFERENCE.exec(uri)?.groups
  if (!groups) return undefined
  const { registry = '', repository = '', tag, digest } = groups
  // Otherwise it is the first part of a repository whose registry was left out.
  if (!/[.:]/.test(registry) && registry !== 'localhost') return undefined
  if (tag === undefined && digest === undefined) return undefined
  return { registry, repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) }
}

/** The name of the same image by its digest, as AWS's ResolvedImageUri has it. */
export const byDigest = ({ registry, repository }: Reference, digest: string) =>
  `${registry}/${repository}@${digest}`

const AWS_HOST = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|localhost)(?::\d+)?$/
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::(\d+))?$/

/** First part of a repository's name at a loopback address, where the host can't say whose it is. */
const SCOPE_PREFIX = /^(\d{12})\.([a-z]{2,4}(?:-[a-z]+)+-\d{1,2})\/(.+)$/

export interface OwnRepository extends Scope {
  readonly name: string
}

/** Of our own registry: the account and region that its address alone stands for, and the port. */
export interface OwnRegistry {
  readonly home: Scope
  readonly port: number
}

/**
 * The repository that a name means, when its host is ours: a name of AWS's form, or a loopback address with our own port.
 * At the latter `<account>.<region>/` before the repository says whose it is; without, it is that of `home`.
 */
export function ownRepository(host: string, repository: string, own: OwnRegistry): OwnRepository | undefined {
  const aws = AWS_HOST.exec(host)
  if (aws) return { account: aws[1] ?? '', region: aws[2] ?? '', name: repository }
  const loopback = LOOPBACK.exec(host)
  if (!loopback || Number(loopback[1] ?? 80) !== own.port) return undefined
  return repositoryByPath(repository, own.home)
}

/** The same by the repository alone. */
export function repositoryByPath(repository: string, home: Scope): OwnRepository {
  const prefixed = SCOPE_PREFIX.exec(repository)
  if (!prefixed) return { ...home, name: repository }
  return { account: prefixed[1] ?? '', region: prefixed[2] ?? '', name: prefixed[3] ?? '' }
}

/** Whether a registry is on this machine: those are spoken to without TLS. */
export const isLoopback = (host: string) => LOOPBACK.test(host) || /\.localhost(?::\d+)?$/.test(host)
