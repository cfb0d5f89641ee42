/** Roles: who may be assumed, by whom, for how long. */
import type {
  CreateRoleRequest,
  DeleteRoleRequest,
  GetRoleRequest,
  ListInstanceProfilesForRoleRequest,
  ListRolesRequest,
  UpdateAssumeRolePolicyRequest,
  UpdateRoleDescriptionRequest,
  UpdateRoleRequest,
} from '@aws-sdk/client-iam'

import { iamRoleKey, iamRolePrefix, roleArn, type IamRole } from '#contracts/iam.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { attachWrites, detachWrite } from './attachments.ts'
import { commit, countWrite, docOf, put, read, remove, requireRole } from './documents.ts'
import { alreadyExists, checkName, deleteConflict, overQuota } from './iam-errors.ts'
import { uniqueId } from './identifiers.ts'
import { requireBoundary } from './identity-operations.ts'
import { pageOfRows } from './paging.ts'
import { checkTrustPolicy, encodeDocument, policySize } from './policy-document.ts'
import { tagsOf, tagView } from './tags.ts'

const DEFAULT_SESSION_S = 3600
/** AWS's default quota for the characters of a trust policy. */
const MAX_TRUST_POLICY = 2048

export function createRoleOperations(deps: {
  readonly meta: Meta
  readonly clock: Clock
  readonly random: Random
}): OperationHandlers {
  const { meta, clock, random } = deps

  const checkTrust = (document: string) => {
    checkTrustPolicy(document)
    if (policySize(document) > MAX_TRUST_POLICY) throw overQuota('ACLSizePerRole', MAX_TRUST_POLICY)
  }

  const change = (account: string, name: string | undefined, update: (role: IamRole) => Partial<IamRole>) => {
    checkName('roleName', name)
    return commit(meta, async () => {
      const { doc, rev } = await requireRole(meta, account, name ?? '')
      const after: IamRole = { ...doc, ...update(doc) }
      return { writes: [put(iamRoleKey(account, doc.name), after, rev)], result: after }
    })
  }

  const createRole: OperationHandler<CreateRoleRequest, object> = async (input, { account }) => {
    const { RoleName = '', AssumeRolePolicyDocument = '', PermissionsBoundary: boundary } = input
    checkName('roleName', RoleName)
    const tags = tagsOf(input.Tags, 'insensitive')
    checkTrust(AssumeRolePolicyDocument)
    const role: IamRole = {
      account,
      name: RoleName,
      id: uniqueId(random, 'AROA'),
      path: input.Path ?? '/',
      createdAt: clock.now(),
      tags,
      inlinePolicies: {},
      attachedPolicies: [],
      maxSessionSeconds: input.MaxSessionDuration ?? DEFAULT_SESSION_S,
      trustPolicy: AssumeRolePolicyDocument,
      ...(input.Description !== undefined && { description: input.Description }),
      ...(boundary !== undefined && { permissionsBoundary: boundary }),
    }
    return commit(meta, async () => {
      const key = iamRoleKey(account, RoleName)
      if (await read(meta, key)) throw alreadyExists(`Role with name ${RoleName} already exists.`)
      const policy = boundary === undefined ? undefined : await requireBoundary(meta, account, boundary)
      const attach = policy ? attachWrites(policy, boundary ?? '', 'boundary', 'role', role) : []
      const writes = [put(key, role, 0), await countWrite(meta, account, 'roles', 1), ...attach]
      // Neither the description nor the longest session stands in this answer (recorded).
      return { writes, result: { Role: { ...shortView(role), ...boundaryView(role), ...tagsIn(role) } } }
    })
  }

  const getRole: OperationHandler<GetRoleRequest, object> = async ({ RoleName = '' }, { account }) => {
    checkName('roleName', RoleName)
    const { doc } = await requireRole(meta, account, RoleName)
    return { Role: { ...listView(doc), ...boundaryView(doc), ...tagsIn(doc), RoleLastUsed: {} } }
  }

  const listRoles: OperationHandler<ListRolesRequest, object> = async (input, { account }) => {
    const { PathPrefix = '/' } = input
    const { items, more } = await pageOfRows(meta, iamRolePrefix(account), input, (row) => {
      const role = docOf<IamRole>(row)
      return role.path.startsWith(PathPrefix) ? listView(role) : undefined
    })
    return { Roles: items, ...more }
  }

  const updateRole: OperationHandler<UpdateRoleRequest, object> = async (input, { account }) => {
    await change(account, input.RoleName, () => ({
      ...(input.Description !== undefined && { description: input.Description }),
      ...(input.MaxSessionDuration !== undefined && { maxSessionSeconds: input.MaxSessionDuration }),
    }))
    return {}
  }

  const updateRoleDescription: OperationHandler<UpdateRoleDescriptionRequest, object> = async (
    input,
    { account },
  ) => {
    const role = await change(account, input.RoleName, () => ({ description: input.Description ?? '' }))
    return { Role: { ...shortView(role), Description: role.description } }
  }

  const updateAssumeRolePolicy: OperationHandler<UpdateAssumeRolePolicyRequest, object> = async (
    { RoleName, PolicyDocument = '' },
    { account },
  ) => {
    checkTrust(PolicyDocument)
    await change(account, RoleName, () => ({ trustPolicy: PolicyDocument }))
    return {}
  }

  const deleteRole: OperationHandler<DeleteRoleRequest, object> = async ({ RoleName = '' }, { account }) => {
    checkName('roleName', RoleName)
    return commit(meta, async () => {
      const { doc, rev } = await requireRole(meta, account, RoleName)
      if (doc.attachedPolicies.length > 0) {
        throw deleteConflict('Cannot delete entity, must detach all policies first.')
      }
      if (Object.keys(doc.inlinePolicies).length > 0) {
        throw deleteConflict('Cannot delete entity, must delete policies first.')
      }
      const boundary = doc.permissionsBoundary
      const writes = [
        remove(iamRoleKey(account, doc.name), rev),
        await countWrite(meta, account, 'roles', -1),
        ...(boundary === undefined ? [] : [detachWrite(boundary, 'boundary', 'role', doc)]),
      ]
      return { writes, result: {} }
    })
  }

  /** There are no instances here; Terraform and the console look before they delete a role. */
  const listInstanceProfilesForRole: OperationHandler<ListInstanceProfilesForRoleRequest, object> = async (
    { RoleName = '' },
    { account },
  ) => {
    checkName('roleName', RoleName)
    await requireRole(meta, account, RoleName)
    return { InstanceProfiles: [], IsTruncated: false }
  }

  return {
    CreateRole: createRole,
    GetRole: getRole,
    ListRoles: listRoles,
    UpdateRole: updateRole,
    UpdateRoleDescription: updateRoleDescription,
    UpdateAssumeRolePolicy: updateAssumeRolePolicy,
    DeleteRole: deleteRole,
    ListInstanceProfilesForRole: listInstanceProfilesForRole,
  }
}

// Which members stand in which answer is recorded from AWS.
const shortView = (role: IamRole) => ({
  Path: role.path,
  RoleName: role.name,
  RoleId: role.id,
  Arn: roleArn(role),
  CreateDate: new Date(role.createdAt),
  AssumeRolePolicyDocument: encodeDocument(role.trustPolicy),
})

const listView = (role: IamRole) => ({
  ...shortView(role),
  // An empty description counts as none.
  ...(role.description && { Description: role.description }),
  MaxSessionDuration: role.maxSessionSeconds,
})

export const boundaryView = ({ permissionsBoundary: arn }: { readonly permissionsBoundary?: string }) =>
  arn === undefined
    ? {}
    : { PermissionsBoundary: { PermissionsBoundaryType: 'Policy', PermissionsBoundaryArn: arn } }

const tagsIn = ({ tags }: IamRole) => (tags.length === 0 ? {} : { Tags: tagView(tags) })
