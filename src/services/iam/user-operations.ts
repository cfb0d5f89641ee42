/** Users. */
import type {
  CreateUserRequest,
  DeleteUserRequest,
  GetUserRequest,
  ListGroupsForUserRequest,
  ListUsersRequest,
  UpdateUserRequest,
} from '@aws-sdk/client-iam'

import {
  accessKeyKey,
  iamUserKey,
  iamUserPrefix,
  userArn,
  type AccessKey,
  type IamUser,
} from '#contracts/iam.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Meta, MetaWrite } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { attachWrites, detachWrite, findPolicy } from './attachments.ts'
import { callerName } from './caller.ts'
import { commit, countWrite, docOf, put, read, remove, requireUser, type Stored } from './documents.ts'
import { alreadyExists, checkName, deleteConflict, noSuchEntity } from './iam-errors.ts'
import { uniqueId } from './identifiers.ts'
import { requireBoundary } from './identity-operations.ts'
import { pageOfRows } from './paging.ts'
import { boundaryView } from './role-operations.ts'
import { tagsOf, tagView } from './tags.ts'

export function createUserOperations(deps: {
  readonly meta: Meta
  readonly clock: Clock
  readonly random: Random
}): OperationHandlers {
  const { meta, clock, random } = deps

  const createUser: OperationHandler<CreateUserRequest, object> = async (input, { account }) => {
    const { UserName = '', PermissionsBoundary: boundary } = input
    checkName('userName', UserName)
    const user: IamUser = {
      account,
      name: UserName,
      id: uniqueId(random, 'AIDA'),
      path: input.Path ?? '/',
      createdAt: clock.now(),
      tags: tagsOf(input.Tags, 'insensitive'),
      inlinePolicies: {},
      attachedPolicies: [],
      accessKeyIds: [],
      ...(boundary !== undefined && { permissionsBoundary: boundary }),
    }
    return commit(meta, async () => {
      const key = iamUserKey(account, UserName)
      if (await read(meta, key)) throw alreadyExists(`User with name ${UserName} already exists.`)
      const policy = boundary === undefined ? undefined : await requireBoundary(meta, account, boundary)
      const attach = policy ? attachWrites(policy, boundary ?? '', 'boundary', 'user', user) : []
      const writes = [put(key, user, 0), await countWrite(meta, account, 'users', 1), ...attach]
      return { writes, result: { User: fullView(user) } }
    })
  }

  const getUser: OperationHandler<GetUserRequest, object> = async ({ UserName }, context) => {
    const { account, principal } = context
    if (UserName === undefined && principal.arn.endsWith(':root')) {
      // When an account was made is not known here; its owner has no name and no path.
      return { User: { UserId: account, Arn: principal.arn, CreateDate: new Date(0) } }
    }
    const name = UserName ?? callerName(context)
    checkName('userName', name)
    const { doc } = await requireUser(meta, account, name)
    return { User: fullView(doc) }
  }

  const listUsers: OperationHandler<ListUsersRequest, object> = async (input, { account }) => {
    const { PathPrefix = '/' } = input
    const { items, more } = await pageOfRows(meta, iamUserPrefix(account), input, (row) => {
      const user = docOf<IamUser>(row)
      return user.path.startsWith(PathPrefix) ? shortView(user) : undefined
    })
    return { Users: items, ...more }
  }

  const updateUser: OperationHandler<UpdateUserRequest, object> = async (input, { account }) => {
    const { UserName = '', NewUserName, NewPath } = input
    checkName('userName', UserName)
    checkName('newUserName', NewUserName)
    return commit(meta, async () => {
      const before = await requireUser(meta, account, UserName)
      const after: IamUser = {
        ...before.doc,
        name: NewUserName ?? before.doc.name,
        path: NewPath ?? before.doc.path,
      }
      return { writes: await moveWrites(meta, before, after), result: {} }
    })
  }

  const deleteUser: OperationHandler<DeleteUserRequest, object> = async ({ UserName = '' }, { account }) => {
    checkName('userName', UserName)
    return commit(meta, async () => {
      const { doc, rev } = await requireUser(meta, account, UserName)
      if (doc.accessKeyIds.length > 0) {
        throw deleteConflict('Cannot delete entity, must delete access keys first.')
      }
      if (doc.attachedPolicies.length > 0) {
        throw deleteConflict('Cannot delete entity, must detach all policies first.')
      }
      if (Object.keys(doc.inlinePolicies).length > 0) {
        throw deleteConflict('Cannot delete entity, must delete policies first.')
      }
      const boundary = doc.permissionsBoundary
      const writes = [
        remove(iamUserKey(account, doc.name), rev),
        await countWrite(meta, account, 'users', -1),
        ...(boundary === undefined ? [] : [detachWrite(boundary, 'boundary', 'user', doc)]),
      ]
      return { writes, result: {} }
    })
  }

  /** What a user does not have here; Terraform asks for all of it before it deletes a user. */
  const none =
    (list: string): OperationHandler<ListGroupsForUserRequest, object> =>
    async ({ UserName }, context) => {
      const name = UserName ?? callerName(context)
      checkName('userName', name)
      await requireUser(meta, context.account, name)
      return { [list]: [], IsTruncated: false }
    }
  const noLoginProfile: OperationHandler<ListGroupsForUserRequest, object> = async (
    { UserName },
    context,
  ) => {
    const name = UserName ?? callerName(context)
    checkName('userName', name)
    await requireUser(meta, context.account, name)
    throw noSuchEntity(`Login Profile for User ${name} cannot be found.`)
  }

  return {
    CreateUser: createUser,
    GetUser: getUser,
    ListUsers: listUsers,
    UpdateUser: updateUser,
    DeleteUser: deleteUser,
    ListGroupsForUser: none('Groups'),
    ListMFADevices: none('MFADevices'),
    ListSSHPublicKeys: none('SSHPublicKeys'),
    ListServiceSpecificCredentials: none('ServiceSpecificCredentials'),
    ListSigningCertificates: none('Certificates'),
    ListVirtualMFADevices: async () => ({ VirtualMFADevices: [], IsTruncated: false }),
    ListAccountAliases: async () => ({ AccountAliases: [], IsTruncated: false }),
    GetLoginProfile: noLoginProfile,
    DeleteLoginProfile: noLoginProfile,
  }
}

/** A user with another name or path: its keys and attachments name it too. */
async function moveWrites(meta: Meta, before: Stored<IamUser>, after: IamUser): Promise<MetaWrite[]> {
  const { account } = after
  const [oldKey, newKey] = [iamUserKey(account, before.doc.name), iamUserKey(account, after.name)]
  const writes: MetaWrite[] = []
  if (oldKey === newKey) {
    writes.push(put(newKey, after, before.rev))
  } else {
    if (await read(meta, newKey)) throw alreadyExists(`User with name ${after.name} already exists.`)
    writes.push(remove(oldKey, before.rev), put(newKey, after, 0))
  }
  for (const id of after.accessKeyIds) {
    const key = await read<AccessKey>(meta, accessKeyKey(id))
    if (!key) continue
    const doc: AccessKey = { ...key.doc, userName: after.name, userArn: userArn(after) }
    writes.push(put(accessKeyKey(id), doc, key.rev))
  }
  const uses = [
    ...after.attachedPolicies.map((arn) => ({ arn, usage: 'permissions' as const })),
    ...(after.permissionsBoundary === undefined
      ? []
      : [{ arn: after.permissionsBoundary, usage: 'boundary' as const }]),
  ]
  const touched = new Set<string>()
  for (const { arn, usage } of uses) {
    const policy = await findPolicy(meta, account, arn)
    if (!policy) continue
    if (oldKey !== newKey) writes.push(detachWrite(arn, usage, 'user', before.doc))
    // A policy that is both attached and the boundary is written once.
    const attach = attachWrites(policy, arn, usage, 'user', after)
    writes.push(...attach.filter(({ key }) => !touched.has(key)))
    for (const { key } of attach) touched.add(key)
  }
  return writes
}

const shortView = (user: IamUser) => ({
  Path: user.path,
  UserName: user.name,
  UserId: user.id,
  Arn: userArn(user),
  CreateDate: new Date(user.createdAt),
})

const fullView = (user: IamUser) => ({
  ...shortView(user),
  ...boundaryView(user),
  ...(user.tags.length > 0 && { Tags: tagView(user.tags) }),
})
