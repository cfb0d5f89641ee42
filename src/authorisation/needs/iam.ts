/**
 * Actions and resources of IAM and STS. Names alone do not tell the path of a user or role, so its ARN is written
 * without one. Pure.
 */
import { iamModel } from '#wire/models/iam.ts'

import {
  accountOf,
  everything,
  keysOf,
  members,
  text,
  type Members,
  type NeedsOf,
  type ServiceNeeds,
} from './need.ts'

const OWN_USER = /^arn:[^:]+:iam::\d{12}:user\/(?:.*\/)?([^/]+)$/

const tagsOf = (input: Members) => {
  const { Tags, TagKeys } = input
  const pairs = Array.isArray(Tags) ? Tags.map(members) : []
  const keys: Record<string, readonly string[]> = {}
  const names: string[] = Array.isArray(TagKeys) ? TagKeys.filter((name) => typeof name === 'string') : []
  for (const { Key, Value } of pairs) {
    const name = text(Key)
    if (name === undefined) continue
    names.push(name)
    if (typeof Value === 'string') keys[`aws:requesttag/${name.toLowerCase()}`] = [Value]
  }
  return { ...keys, ...keysOf({ 'aws:tagkeys': names }) }
}

const kindOf = (operation: string) =>
  ['Role', 'Policy', 'User', 'AccessKey', 'Group'].find((kind) => operation.includes(kind))

/** What an operation of IAM is about: the user, role or policy that it names. */
const onIdentity =
  (operation: string): NeedsOf =>
  (input, { account, arn }) => {
    const prefix = `arn:aws:iam::${account}:`
    const { UserName, RoleName, PolicyName, PolicyArn } = input
    const path = text(input['Path'])?.slice(1) ?? ''
    const user = text(UserName)
    const role = text(RoleName)
    const policy = text(PolicyArn)
    let resource: string
    if (role !== undefined) resource = `${prefix}role/${path}${role}`
    else if (user !== undefined) resource = `${prefix}user/${path}${user}`
    else if (policy !== undefined) resource = policy
    else if (operation === 'CreatePolicy') resource = `${prefix}policy/${path}${text(PolicyName) ?? ''}`
    else if (operation === 'ListPolicies')
      resource = `${prefix}policy/${text(input['PathPrefix'])?.slice(1) ?? ''}`
    else if (operation.startsWith('List') && (operation === 'ListUsers' || operation === 'ListRoles')) {
      const kind = operation === 'ListUsers' ? 'user' : 'role'
      resource = `${prefix}${kind}/${text(input['PathPrefix'])?.slice(1) ?? ''}`
    } else {
      const own = OWN_USER.exec(arn)?.[1]
      const isAboutUser = kindOf(operation) === 'User' || kindOf(operation) === 'AccessKey'
      resource = isAboutUser && own !== undefined ? `${prefix}user/${own}` : '*'
    }
    const attached = /^(?:Attach|Detach)/.test(operation) ? policy : undefined
    const keys = {
      ...tagsOf(input),
      ...keysOf({
        'iam:policyarn': attached,
        'iam:permissionsboundary': text(input['PermissionsBoundary']),
      }),
    }
    return [{ action: `iam:${operation}`, resource, account, keys }]
  }

export const iamNeeds: ServiceNeeds = Object.fromEntries(
  Object.keys(iamModel.operations).map((operation) => [operation, onIdentity(operation)]),
)

const ROLE = /^arn:[^:]+:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/

export const stsNeeds: ServiceNeeds = {
  AssumeRole: (input, asking) => {
    const resource = text(input['RoleArn']) ?? '*'
    const [, account = accountOf(resource) ?? asking.account, roleName] = ROLE.exec(resource) ?? []
    const keys = {
      ...tagsOf(input),
      ...keysOf({
        'sts:externalid': text(input['ExternalId']),
        'sts:rolesessionname': text(input['RoleSessionName']),
        'sts:sourceidentity': text(input['SourceIdentity']),
      }),
    }
    const need = {
      resource,
      account,
      keys,
      ...(roleName && { policy: { kind: 'trust', account, roleName } as const }),
    }
    const needs = [{ ...need, action: 'sts:AssumeRole' }]
    if ('aws:tagkeys' in keys) needs.push({ ...need, action: 'sts:TagSession' })
    if ('sts:sourceidentity' in keys) needs.push({ ...need, action: 'sts:SetSourceIdentity' })
    return needs
  },
  // Everybody may ask who they are, and for a session of their own.
  GetCallerIdentity: () => [],
  GetSessionToken: () => [],
  GetAccessKeyInfo: everything('sts:GetAccessKeyInfo'),
}
