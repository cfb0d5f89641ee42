/** Aliases: other names of keys. */
import type {
  CreateAliasRequest,
  DeleteAliasRequest,
  ListAliasesRequest,
  UpdateAliasRequest,
} from '@aws-sdk/client-kms'

import type { Scope } from '#contracts/arn.ts'
import {
  kmsAliasArn,
  kmsAliasKey,
  kmsAliasPrefix,
  kmsKeyArn,
  kmsKeyKey,
  type KmsAlias,
} from '#contracts/kms.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { commit, docOf, put, read, remove } from '../iam/documents.ts'
import { checkNotPending, type KeyStore } from './key-store.ts'
import { aliasExists, badPrefix, managedByAws, noSuchAlias, reservedAlias } from './kms-errors.ts'
import { kmsPage } from './kms-page.ts'

const DEFAULT_LIMIT = 50

export function createAliasOperations(deps: {
  readonly meta: Meta
  readonly keys: KeyStore
  readonly clock: Clock
}): OperationHandlers {
  const { meta, keys, clock } = deps

  /** A key that an alias may be moved to. Its document is written too: it can't be swept at the same time. */
  const target = async (scope: Scope, keyId: string) => {
    const { doc, rev } = await keys.find(scope, keyId)
    if (doc.manager === 'AWS') throw managedByAws(kmsKeyArn(doc))
    checkNotPending(doc)
    return { id: doc.id, write: put(kmsKeyKey(doc, doc.id), doc, rev) }
  }

  const createAlias: OperationHandler<CreateAliasRequest, object> = async (input, scope) => {
    const { AliasName: name = '', TargetKeyId = '' } = input
    checkName(name)
    return commit(meta, async () => {
      const { id, write } = await target(scope, TargetKeyId)
      const key = kmsAliasKey(scope, name)
      if (await read(meta, key)) throw aliasExists(kmsAliasArn(scope, name))
      const now = clock.now()
      const alias: KmsAlias = { name, keyId: id, createdAt: now, updatedAt: now }
      return { writes: [put(key, alias, 0), write], result: {} }
    })
  }

  const updateAlias: OperationHandler<UpdateAliasRequest, object> = async (input, scope) => {
    const { AliasName: name = '', TargetKeyId = '' } = input
    checkName(name)
    return commit(meta, async () => {
      const before = await read<KmsAlias>(meta, kmsAliasKey(scope, name))
      if (!before) throw noSuchAlias(kmsAliasArn(scope, name))
      const { id, write } = await target(scope, TargetKeyId)
      const alias: KmsAlias = { ...before.doc, keyId: id, updatedAt: clock.now() }
      return { writes: [put(kmsAliasKey(scope, name), alias, before.rev), write], result: {} }
    })
  }

  const deleteAlias: OperationHandler<DeleteAliasRequest, object> = async (
    { AliasName: name = '' },
    scope,
  ) => {
    checkName(name)
    return commit(meta, async () => {
      const before = await read<KmsAlias>(meta, kmsAliasKey(scope, name))
      if (!before) throw noSuchAlias(kmsAliasArn(scope, name))
      return { writes: [remove(kmsAliasKey(scope, name), before.rev)], result: {} }
    })
  }

  const listAliases: OperationHandler<ListAliasesRequest, object> = async (input, scope) => {
    const { KeyId, Limit = DEFAULT_LIMIT, Marker } = input
    const only = KeyId === undefined ? undefined : (await keys.find(scope, KeyId)).doc.id
    const page = await kmsPage(meta, kmsAliasPrefix(scope), { Marker, Limit }, (row) => {
      const alias = docOf<KmsAlias>(row)
      if (only !== undefined && alias.keyId !== only) return undefined
      return {
        AliasName: alias.name,
        AliasArn: kmsAliasArn(scope, alias.name),
        TargetKeyId: alias.keyId,
        CreationDate: new Date(alias.createdAt),
        LastUpdatedDate: new Date(alias.updatedAt),
      }
    })
    return { Aliases: page.items, ...page.more }
  }

  return {
    CreateAlias: createAlias,
    UpdateAlias: updateAlias,
    DeleteAlias: deleteAlias,
    ListAliases: listAliases,
  }
}

function checkName(name: string): void {
  if (!name.startsWith('alias/')) throw badPrefix()
  if (name.startsWith('alias/aws/')) throw reservedAlias()
}
