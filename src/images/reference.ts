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

/**
 * The account and region whose registry a host name means, when it means ours: names of AWS's form, and loopback
 * addresses with our own port, which stand for `home`.
 */
export function ownRegistry(
  host: string,
  own: { readonly home: Scope; readonly port: number },
): Scope | undefined {
  const aws = AWS_HOST.exec(host)
  if (aws) return { account: aws[1] ?? '', region: aws[2] ?? '' }
  const loopback = LOOPBACK.exec(host)
  return loopback && Number(loopback[1] ?? 80) === own.port ? own.home : undefined
}

/** Whether a registry is on this machine: those are spoken to without TLS. */
export const isLoopback = (host: string) => LOOPBACK.test(host) || /\.localhost(?::\d+)?$/.test(host)
