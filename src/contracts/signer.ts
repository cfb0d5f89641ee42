/** What the store keeps of AWS Signer: the authority, signing profiles and signing jobs. */
import type { Scope } from '#contracts/arn.ts'

/** The one platform that is offered: it signs code packages of Lambda. */
export const LAMBDA_PLATFORM = 'AWSLambda-SHA384-ECDSA'

/** Of the whole installation: every signature leads to its certificate. */
export interface SignerAuthority {
  /** DER in base64. */
  readonly certificate: string
  /** PKCS #8 in base64, sealed under the context `SIGNER_AUTHORITY_KEY`. */
  readonly sealedKey: string
}

export type ValidityUnit = 'DAYS' | 'MONTHS' | 'YEARS'

export interface SigningProfile extends Scope {
  readonly name: string
  /** Ten letters and digits. */
  readonly version: string
  readonly status: 'Active' | 'Canceled' | 'Revoked'
  readonly createdAt: number
  readonly validity: { readonly value: number; readonly type: ValidityUnit }
  readonly signingParameters?: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  readonly revocation?: {
    /** Signatures made after this moment count as revoked. */
    readonly effectiveFrom: number
    readonly revokedAt: number
    readonly revokedBy: string
    readonly reason: string
  }
}

export interface SigningJob extends Scope {
  /** A UUID. */
  readonly id: string
  readonly profileName: string
  readonly profileVersion: string
  /** Of the profile. */
  readonly profileAccount: string
  readonly source: { readonly bucketName: string; readonly key: string; readonly version: string }
  readonly destination: { readonly bucketName: string; readonly prefix: string }
  readonly status: 'InProgress' | 'Succeeded' | 'Failed'
  readonly statusReason?: string
  readonly createdAt: number
  readonly completedAt?: number
  /** When its signature stops counting. */
  readonly expiresAt: number
  /** ARN of who asked for it. */
  readonly requestedBy: string
  readonly revocation?: { readonly reason: string; readonly revokedAt: number; readonly revokedBy: string }
}

const scope = ({ account, region }: Scope) => `${account}/${region}`

export const SIGNER_AUTHORITY_KEY = 'signer-authority'
export const signingProfilePrefix = (where: Scope) => `signing-profile/${scope(where)}/`
export const signingProfileKey = (where: Scope, name: string) => `${signingProfilePrefix(where)}${name}`
export const signingJobPrefix = (where: Scope) => `signing-job/${scope(where)}/`
export const signingJobKey = (where: Scope, id: string) => `${signingJobPrefix(where)}${id}`
/** Which job a client's token has started. */
export const signingTokenKey = (where: Scope, token: string) => `signing-token/${scope(where)}/${token}`
/** The jobs of all accounts that are not done, one `Scope` with `id` each. */
export const OPEN_SIGNING_JOBS = 'signing-open/'
export const openSigningJobKey = (id: string) => `${OPEN_SIGNING_JOBS}${id}`

const partition = (region: string) =>
  region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
const arn = (where: Scope, resource: string) =>
  `arn:${partition(where.region)}:signer:${where.region}:${where.account}:/${resource}`

export const signingProfileArn = (where: Scope, name: string) => arn(where, `signing-profiles/${name}`)
export const signingProfileVersionArn = (
  profile: Scope & { readonly name: string; readonly version: string },
) => `${signingProfileArn(profile, profile.name)}/${profile.version}`
export const signingJobArn = (job: Scope & { readonly id: string }) => arn(job, `signing-jobs/${job.id}`)

const ARN =
  /^arn:[a-z-]+:signer:([a-z0-9-]+):(\d{12}):\/(signing-profiles|signing-jobs)\/([^/]+)(?:\/([^/]+))?$/

/** The parts of a signer ARN; undefined when the text is none. */
export function parseSignerArn(text: string) {
  const match = ARN.exec(text)
  if (!match) return undefined
  const [, region = '', account = '', kind, id = '', version] = match
  return { region, account, kind: kind as 'signing-profiles' | 'signing-jobs', id, version }
}
