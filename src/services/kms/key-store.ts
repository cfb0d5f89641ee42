/** Finds keys by id, ARN and alias, makes new ones, and opens their material. */
import { hash, randomBytes } from 'node:crypto'

import type { Scope } from '#contracts/arn.ts'
import { kmsAliasArn, kmsAliasKey, kmsKeyArn, kmsKeyKey, type KmsAlias, type KmsKey } from '#contracts/kms.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Sealer } from '#kernel/sealed.ts'
import type { Meta } from '#store/port.ts'

import { commit, put, read, type Stored } from '../iam/documents.ts'
import {
  aliasNotAllowed,
  disabled,
  invalidKeyId,
  managedByAws,
  noSuchAlias,
  noSuchKey,
  notFound,
  pendingDeletion,
} from './kms-errors.ts'

/** Keys that AWS makes for a service when it, or somebody else, first asks for its alias. */
const MADE_ON_DEMAND: ReadonlyMap<string, string> = new Map([
  ['alias/aws/lambda', 'Default key that protects my Lambda functions when no other key is defined'],
  ['alias/aws/sns', 'Default key that protects my SNS data when no other key is defined'],
])

const ID = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/
const ARN = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):(\d{12}):(key|alias)\/(.+)$/

export interface KeyStore {
  /** By id or ARN; and by alias where the operation takes one. Throws KMS's errors. */
  find(scope: Scope, keyId: string, options?: { readonly aliases?: boolean }): Promise<Stored<KmsKey>>
  /** By id alone; undefined when there is none. */
  byId(scope: Scope, id: string): Promise<Stored<KmsKey> | undefined>
  /** A new key that is not stored yet. */
  make(key: Omit<KmsKey, 'id' | 'createdAt' | 'state' | 'sealedMaterial' | 'materialId'>): KmsKey
  /** The key's 32 bytes. */
  material(key: KmsKey): Uint8Array
  /** Reads the key, changes it, writes it; once more when somebody else was faster. Not for keys of AWS. */
  change(scope: Scope, keyId: string, update: (key: KmsKey) => Partial<KmsKey>): Promise<KmsKey>
}

export const materialContext = (id: string) => `kms-key/${id}`

/** From the moment that was announced, whether or not it has been swept. */
export const isGone = ({ deletionAt }: KmsKey, nowMs: number) =>
  deletionAt !== undefined && deletionAt <= nowMs

/** Throws unless the key can encrypt and decrypt now. */
export function checkUsable(key: KmsKey): void {
  if (key.state === 'Disabled') throw disabled(kmsKeyArn(key))
  checkNotPending(key)
}

export function checkNotPending(key: KmsKey): void {
  if (key.state === 'PendingDeletion') throw pendingDeletion(kmsKeyArn(key))
}

/** The policy of a key that was made without one, in the form in which AWS returns it. */
export const defaultPolicy = (account: string) => `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::${account}:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`

export function createKeyStore(deps: {
  readonly meta: Meta
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
}): KeyStore {
  const { meta, sealer, clock, random } = deps

  const byId = async (scope: Scope, id: string) => {
    const key = await read<KmsKey>(meta, kmsKeyKey(scope, id))
    return key && !isGone(key.doc, clock.now()) ? key : undefined
  }

  const requireId = async (scope: Scope, id: string) => {
    const key = await byId(scope, id)
    if (!key) throw noSuchKey(kmsKeyArn({ ...scope, id }))
    return key
  }

  const make: KeyStore['make'] = (key) => {
    const id = key.multiRegion ? `mrk-${random.hex(32)}` : random.uuid()
    const material = randomBytes(32)
    return {
      ...key,
      id,
      createdAt: clock.now(),
      state: 'Enabled',
      sealedMaterial: sealer.seal(material.toString('hex'), materialContext(id)),
      materialId: hash('sha256', Buffer.concat([Buffer.from(id), material]), 'hex'),
    }
  }

  /** The target of an alias; a key that AWS makes on demand is made. */
  const byAlias = async (scope: Scope, name: string): Promise<Stored<KmsKey>> => {
    const alias = await read<KmsAlias>(meta, kmsAliasKey(scope, name))
    if (alias) return requireId(scope, alias.doc.keyId)
    const description = MADE_ON_DEMAND.get(name)
    if (description === undefined) throw noSuchAlias(kmsAliasArn(scope, name))
    const { account, region } = scope
    const key = make({
      account,
      region,
      description,
      manager: 'AWS',
      multiRegion: false,
      policy: defaultPolicy(account),
      tags: [],
    })
    const made: KmsAlias = { name, keyId: key.id, createdAt: key.createdAt, updatedAt: key.createdAt }
    // Whoever was faster made it.
    await meta.txn([put(kmsKeyKey(scope, key.id), key, 0), put(kmsAliasKey(scope, name), made, 0)])
    return byAlias(scope, name)
  }

  const find: KeyStore['find'] = async (scope, keyId, { aliases = false } = {}) => {
    const [, region, account = '', kind, rest = ''] = ARN.exec(keyId) ?? []
    if (region !== undefined) {
      if (region !== scope.region) throw notFound(`Invalid arn ${region}`)
      const owner = { account, region }
      if (kind === 'key') {
        if (!ID.test(rest)) throw invalidKeyId(keyId)
        return requireId(owner, rest)
      }
      if (!aliases) throw aliasNotAllowed()
      return byAlias(owner, `alias/${rest}`)
    }
    if (ID.test(keyId)) return requireId(scope, keyId)
    if (aliases && keyId.startsWith('alias/')) return byAlias(scope, keyId)
    throw invalidKeyId(keyId)
  }

  return {
    find,
    byId,
    make,
    material: (key) => Buffer.from(sealer.open(key.sealedMaterial, materialContext(key.id)), 'hex'),
    change: (scope, keyId, update) =>
      commit(meta, async () => {
        const { doc, rev } = await find(scope, keyId)
        if (doc.manager === 'AWS') throw managedByAws(kmsKeyArn(doc))
        const after: KmsKey = { ...doc, ...update(doc) }
        return { writes: [put(kmsKeyKey(after, after.id), after, rev)], result: after }
      }),
  }
}
