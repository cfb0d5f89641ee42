/** What users and roles share: inline policies, attached policies, permissions boundaries, tags. */
import type { Tag } from '@aws-sdk/client-iam'

import type { IamIdentity, IamRole, IamUser } from '#contracts/iam.ts'
import { iamRoleKey, iamUserKey } from '#contracts/iam.ts'
import type { Meta, MetaWrite } from '#store/port.ts'
import type { OperationHandlers, RequestContext } from '#wire/service.ts'

import { attachWrites, detachWrite, findPolicy, isPolicyArn, policyNameOf } from './attachments.ts'
import { commit, put, requireRole, requireUser, type Stored } from './documents.ts'
import {
  checkName,
  invalid,
  invalidInput,
  limitExceeded,
  noSuchEntity,
  noSuchPolicy,
  notAttachable,
  overQuota,
} from './iam-errors.ts'
import { pageOf, type Paged } from './paging.ts'
import { checkIdentityPolicy, encodeDocument, policySize } from './policy-document.ts'
import { tagList, tagsOf, withoutTags, withTags } from './tags.ts'

/** AWS's default quota for managed policies on one user or role. */
const MAX_ATTACHED = 10

interface Kind<Doc extends IamIdentity> {
  readonly kind: 'user' | 'role'
  /** As in the names of the operations and members. */
  readonly word: 'User' | 'Role'
  /** Characters of all inline policies together. */
  readonly maxInline: number
  require(meta: Meta, account: string, name: string): Promise<Stored<Doc>>
  key(account: string, name: string): string
}

const USERS: Kind<IamUser> = {
  kind: 'user',
  word: 'User',
  maxInline: 2048,
  require: requireUser,
  key: iamUserKey,
}
const ROLES: Kind<IamRole> = {
  kind: 'role',
  word: 'Role',
  maxInline: 10_240,
  require: requireRole,
  key: iamRoleKey,
}

/** Members of all these operations' inputs; UserName or RoleName says whose. */
interface Input extends Paged {
  readonly UserName?: string
  readonly RoleName?: string
  readonly PolicyName?: string
  readonly PolicyDocument?: string
  readonly PolicyArn?: string
  readonly PermissionsBoundary?: string
  readonly PathPrefix?: string
  readonly Tags?: readonly Tag[]
  readonly TagKeys?: readonly string[]
}

export const createIdentityOperations = (meta: Meta): OperationHandlers => ({
  ...operationsOf(meta, USERS),
  ...operationsOf(meta, ROLES),
})

/** The policy that a boundary names. Throws InvalidInput and NoSuchEntity. */
export async function requireBoundary(meta: Meta, account: string, arn: string) {
  if (!isPolicyArn(arn)) throw invalidInput(`ARN ${arn} is not valid.`)
  const policy = await findPolicy(meta, account, arn)
  if (!policy) throw noSuchEntity(`Scope ARN: ${arn} does not exist or is not attachable.`)
  return policy
}

function operationsOf<Doc extends IamIdentity>(meta: Meta, kind: Kind<Doc>): OperationHandlers {
  const { word } = kind
  const member = `${word}Name` as const
  const nameOf = (input: Input) => {
    const name = input[member] ?? ''
    checkName(`${kind.kind}Name`, name)
    checkName('policyName', input.PolicyName)
    return name
  }
  const get = (input: Input, { account }: RequestContext) => kind.require(meta, account, nameOf(input))

  /** Reads, changes and writes one document; `change` may add writes. */
  const change = (
    input: Input,
    context: RequestContext,
    decide: (
      doc: Doc,
    ) => Promise<{ readonly doc: Partial<IamIdentity>; readonly writes?: readonly MetaWrite[] } | undefined>,
  ) =>
    commit(meta, async () => {
      const { doc, rev } = await get(input, context)
      const decision = await decide(doc)
      if (!decision) return { writes: [], result: {} }
      const after = { ...doc, ...decision.doc }
      const own = put(kind.key(doc.account, doc.name), after, rev)
      return { writes: [own, ...(decision.writes ?? [])], result: {} }
    })

  const inlineOf = (doc: Doc, name: string) => {
    const document = Object.hasOwn(doc.inlinePolicies, name) ? doc.inlinePolicies[name] : undefined
    if (document === undefined) {
      throw noSuchEntity(`The ${kind.kind} policy with name ${name} cannot be found.`)
    }
    return document
  }

  const arnOf = ({ PolicyArn = '' }: Input) => {
    if (!isPolicyArn(PolicyArn)) throw invalid(`ARN ${PolicyArn} is not valid.`)
    return PolicyArn
  }

  return {
    [`Put${word}Policy`]: async (input: Input, context: RequestContext) => {
      const { PolicyName = '', PolicyDocument = '' } = input
      nameOf(input)
      // Its name could not be told from the prototype's in the document.
      if (PolicyName === '__proto__') throw invalid('The specified value for policyName is invalid.')
      checkIdentityPolicy(PolicyDocument)
      return change(input, context, async (doc) => {
        const inlinePolicies = { ...doc.inlinePolicies, [PolicyName]: PolicyDocument }
        const size = Object.values(inlinePolicies).reduce((sum, each) => sum + policySize(each), 0)
        if (size > kind.maxInline) {
          throw limitExceeded(
            `Maximum policy size of ${kind.maxInline} bytes exceeded for ${kind.kind} ${doc.name}`,
          )
        }
        return { doc: { inlinePolicies } }
      })
    },
    [`Get${word}Policy`]: async (input: Input, context: RequestContext) => {
      const { doc } = await get(input, context)
      const PolicyName = input.PolicyName ?? ''
      return { [member]: doc.name, PolicyName, PolicyDocument: encodeDocument(inlineOf(doc, PolicyName)) }
    },
    [`Delete${word}Policy`]: (input: Input, context: RequestContext) =>
      change(input, context, async (doc) => {
        inlineOf(doc, input.PolicyName ?? '')
        const rest = Object.entries(doc.inlinePolicies).filter(([name]) => name !== input.PolicyName)
        return { doc: { inlinePolicies: Object.fromEntries(rest) } }
      }),
    [`List${word}Policies`]: async (input: Input, context: RequestContext) => {
      const { doc } = await get(input, context)
      const names = Object.keys(doc.inlinePolicies).toSorted()
      const { items, more } = pageOf(names, (name) => name, input)
      return { PolicyNames: items, ...more }
    },

    [`Attach${word}Policy`]: async (input: Input, context: RequestContext) => {
      const arn = arnOf(input)
      return change(input, context, async (doc) => {
        const policy = await findPolicy(meta, context.account, arn)
        if (!policy) throw notAttachable(arn)
        if (doc.attachedPolicies.includes(arn)) return undefined
        if (doc.attachedPolicies.length >= MAX_ATTACHED) throw overQuota(`PoliciesPer${word}`, MAX_ATTACHED)
        return {
          doc: { attachedPolicies: [...doc.attachedPolicies, arn] },
          writes: attachWrites(policy, arn, 'permissions', kind.kind, doc),
        }
      })
    },
    [`Detach${word}Policy`]: async (input: Input, context: RequestContext) => {
      const arn = arnOf(input)
      return change(input, context, async (doc) => {
        if (!doc.attachedPolicies.includes(arn)) throw noSuchPolicy(arn)
        return {
          doc: { attachedPolicies: doc.attachedPolicies.filter((each) => each !== arn) },
          writes: [detachWrite(arn, 'permissions', kind.kind, doc)],
        }
      })
    },
    [`ListAttached${word}Policies`]: async (input: Input, context: RequestContext) => {
      const { doc } = await get(input, context)
      const { PathPrefix = '/' } = input
      const arns = doc.attachedPolicies.filter((arn) => arn.slice(arn.indexOf('/')).startsWith(PathPrefix))
      const { items, more } = pageOf(arns, (arn) => arn, input)
      return {
        AttachedPolicies: items.map((arn) => ({ PolicyName: policyNameOf(arn), PolicyArn: arn })),
        ...more,
      }
    },

    [`Put${word}PermissionsBoundary`]: async (input: Input, context: RequestContext) => {
      const arn = input.PermissionsBoundary ?? ''
      return change(input, context, async (doc) => {
        const policy = await requireBoundary(meta, context.account, arn)
        const before = doc.permissionsBoundary
        if (before === arn) return undefined
        return {
          doc: { permissionsBoundary: arn },
          writes: [
            ...(before === undefined ? [] : [detachWrite(before, 'boundary', kind.kind, doc)]),
            ...attachWrites(policy, arn, 'boundary', kind.kind, doc),
          ],
        }
      })
    },
    [`Delete${word}PermissionsBoundary`]: (input: Input, context: RequestContext) =>
      change(input, context, async (doc) => {
        const before = doc.permissionsBoundary
        if (before === undefined) {
          // Text unverified.
          throw noSuchEntity(`${word} ${doc.name} does not have a permissions boundary.`)
        }
        return {
          doc: { permissionsBoundary: undefined },
          writes: [detachWrite(before, 'boundary', kind.kind, doc)],
        }
      }),

    [`Tag${word}`]: (input: Input, context: RequestContext) =>
      change(input, context, async (doc) => {
        const tags = withTags(doc.tags, tagsOf(input.Tags, 'insensitive'), 'insensitive')
        return { doc: { tags } }
      }),
    [`Untag${word}`]: (input: Input, context: RequestContext) =>
      change(input, context, async (doc) => {
        const tags = withoutTags(doc.tags, input.TagKeys, 'insensitive')
        return { doc: { tags } }
      }),
    [`List${word}Tags`]: async (input: Input, context: RequestContext) => {
      const { doc } = await get(input, context)
      const { items, more } = pageOf(tagList(doc.tags), ({ Key }) => Key, input)
      return { Tags: items, ...more }
    },
  }
}
