/** Access keys of users. The secret is told once; afterwards only the door opens it. */
import type {
  CreateAccessKeyRequest,
  DeleteAccessKeyRequest,
  GetAccessKeyLastUsedRequest,
  ListAccessKeysRequest,
  UpdateAccessKeyRequest,
} from '@aws-sdk/client-iam'

import { accessKeyKey, iamUserKey, userArn, type AccessKey } from '#contracts/iam.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Sealer } from '#kernel/sealed.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers, RequestContext } from '#wire/service.ts'

import { callerName } from './caller.ts'
import { commit, put, read, remove, requireUser, type Stored } from './documents.ts'
import { accessDenied, checkName, invalid, noSuchAccessKey, overQuota } from './iam-errors.ts'
import { accessKeyId, secretAccessKey } from './identifiers.ts'
import { pageOf } from './paging.ts'

const MAX_KEYS = 2

/** What the secret of an access key is sealed for. */
export const secretContext = (id: string) => `iam-access-key/${id}`

export function createAccessKeyOperations(deps: {
  readonly meta: Meta
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
}): OperationHandlers {
  const { meta, sealer, clock, random } = deps

  const nameOf = (name: string | undefined, context: RequestContext) => {
    checkName('userName', name)
    return name ?? callerName(context)
  }

  /** A key of this user; another user's counts as missing. */
  const requireKey = async (account: string, userName: string, id: string): Promise<Stored<AccessKey>> => {
    const { doc: user } = await requireUser(meta, account, userName)
    const key = user.accessKeyIds.includes(id) ? await read<AccessKey>(meta, accessKeyKey(id)) : undefined
    if (!key) throw noSuchAccessKey(id)
    return key
  }

  const createAccessKey: OperationHandler<CreateAccessKeyRequest, object> = async (input, context) => {
    const { account } = context
    const userName = nameOf(input.UserName, context)
    const id = accessKeyId(random, 'AKIA', account)
    const secret = secretAccessKey(random)
    const createdAt = clock.now()
    return commit(meta, async () => {
      const { doc: user, rev } = await requireUser(meta, account, userName)
      if (user.accessKeyIds.length >= MAX_KEYS) throw overQuota('AccessKeysPerUser', MAX_KEYS)
      const key: AccessKey = {
        id,
        account,
        userName: user.name,
        userId: user.id,
        userArn: userArn(user),
        status: 'Active',
        createdAt,
        sealedSecret: sealer.seal(secret, secretContext(id)),
      }
      const writes = [
        put(iamUserKey(account, user.name), { ...user, accessKeyIds: [...user.accessKeyIds, id] }, rev),
        put(accessKeyKey(id), key, 0),
      ]
      return { writes, result: { AccessKey: { ...viewOf(key), SecretAccessKey: secret } } }
    })
  }

  const listAccessKeys: OperationHandler<ListAccessKeysRequest, object> = async (input, context) => {
    const { doc: user } = await requireUser(meta, context.account, nameOf(input.UserName, context))
    const keys = await Promise.all(
      user.accessKeyIds.map(async (id) => (await read<AccessKey>(meta, accessKeyKey(id)))?.doc),
    )
    const known = keys.filter((key) => key !== undefined)
    const { items, more } = pageOf(known, ({ id }) => id, input)
    return { AccessKeyMetadata: items.map(viewOf), ...more }
  }

  const updateAccessKey: OperationHandler<UpdateAccessKeyRequest, object> = async (input, context) => {
    const { AccessKeyId = '', Status } = input
    const userName = nameOf(input.UserName, context)
    // Text unverified: only AWS itself lets keys expire.
    if (Status !== 'Active' && Status !== 'Inactive') throw invalid(`Invalid status: ${String(Status)}`)
    return commit(meta, async () => {
      const { doc, rev } = await requireKey(context.account, userName, AccessKeyId)
      return { writes: [put(accessKeyKey(doc.id), { ...doc, status: Status }, rev)], result: {} }
    })
  }

  const deleteAccessKey: OperationHandler<DeleteAccessKeyRequest, object> = async (input, context) => {
    const { account } = context
    const { AccessKeyId = '' } = input
    const userName = nameOf(input.UserName, context)
    return commit(meta, async () => {
      const { doc: user, rev } = await requireUser(meta, account, userName)
      const { doc: key } = await requireKey(account, userName, AccessKeyId)
      const accessKeyIds = user.accessKeyIds.filter((id) => id !== key.id)
      const writes = [
        put(iamUserKey(account, user.name), { ...user, accessKeyIds }, rev),
        remove(accessKeyKey(key.id)),
      ]
      return { writes, result: {} }
    })
  }

  /** Uses are not recorded: every key looks unused (recorded form of one that is). */
  const getAccessKeyLastUsed: OperationHandler<GetAccessKeyLastUsedRequest, object> = async (
    { AccessKeyId = '' },
    { account, principal },
  ) => {
    const key = await read<AccessKey>(meta, accessKeyKey(AccessKeyId))
    if (!key || key.doc.account !== account) {
      throw accessDenied(
        `User: ${principal.arn} is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key ${AccessKeyId}`,
      )
    }
    return { UserName: key.doc.userName, AccessKeyLastUsed: { ServiceName: 'N/A', Region: 'N/A' } }
  }

  return {
    CreateAccessKey: createAccessKey,
    ListAccessKeys: listAccessKeys,
    UpdateAccessKey: updateAccessKey,
    DeleteAccessKey: deleteAccessKey,
    GetAccessKeyLastUsed: getAccessKeyLastUsed,
  }
}

const viewOf = (key: AccessKey) => ({
  UserName: key.userName,
  AccessKeyId: key.id,
  Status: key.status,
  CreateDate: new Date(key.createdAt),
})
