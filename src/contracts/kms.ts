/** What the store keeps of KMS: keys and aliases of an account and region. */
import type { Scope } from '#contracts/arn.ts'

export interface KmsKey extends Scope {
  /** A UUID, or `mrk-` and 32 hexadecimal digits. */
  readonly id: string
  readonly description: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly state: 'Enabled' | 'Disabled' | 'PendingDeletion'
  /** When a key that is pending deletion is gone. */
  readonly deletionAt?: number
  /** `AWS`: made for a service and not to be changed by the account. */
  readonly manager: 'CUSTOMER' | 'AWS'
  readonly multiRegion: boolean
  readonly policy: string
  readonly tags: readonly { readonly key: string; readonly value: string }[]
  readonly rotation?: { readonly periodDays: number; readonly since: number }
  /** 32 bytes in hexadecimal, under the context `kms-key/ID`. */
  readonly sealedMaterial: string
  /** SHA-256 of the key's id and material, hexadecimal. */
  readonly materialId: string
}

export interface KmsAlias {
  /** With its prefix: `alias/name`. */
  readonly name: string
  readonly keyId: string
  readonly createdAt: number
  readonly updatedAt: number
}

/** Ids are 36 characters of ASCII: a UUID, or `mrk-` and 32 digits. */
export const KMS_ID_BYTES = 36
/** First byte of a ciphertext, which the key's id follows. */
export const KMS_BLOB_FORM = 1

/** Id of the key that a ciphertext names; undefined when it is none of ours. Nothing is proved by it. */
export function kmsKeyIdOf(blob: Uint8Array): string | undefined {
  if (blob.byteLength <= KMS_ID_BYTES || blob[0] !== KMS_BLOB_FORM) return undefined
  return Buffer.from(blob.subarray(1, 1 + KMS_ID_BYTES)).toString('latin1')
}

const scope = ({ account, region }: Scope) => `${account}/${region}`

/** Every key of every account, for the sweep. */
export const ALL_KMS_KEYS = 'kms-key/'
export const kmsKeyPrefix = (where: Scope) => `${ALL_KMS_KEYS}${scope(where)}/`
export const kmsKeyKey = (where: Scope, id: string) => `${kmsKeyPrefix(where)}${id}`
export const kmsAliasPrefix = (where: Scope) => `kms-alias/${scope(where)}/`
/** `name` with its prefix. */
export const kmsAliasKey = (where: Scope, name: string) => `${kmsAliasPrefix(where)}${name}`

const partition = (region: string) =>
  region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
const kmsArn = (where: Scope, resource: string) =>
  `arn:${partition(where.region)}:kms:${where.region}:${where.account}:${resource}`

export const kmsKeyArn = (key: Scope & { readonly id: string }) => kmsArn(key, `key/${key.id}`)
export const kmsAliasArn = (where: Scope, name: string) => kmsArn(where, name)
