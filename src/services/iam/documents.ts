/** Reads IAM's documents, and changes them: read, decide, write on condition, once more when somebody else was faster. */
import {
  iamCountsKey,
  iamRoleKey,
  iamUserKey,
  type IamCounts,
  type IamRole,
  type IamUser,
} from '#contracts/iam.ts'
import type { Json } from '#kernel/json.ts'
import { commitWrites } from '#services/documents.ts'
import type { Meta, MetaRow, MetaWrite } from '#store/port.ts'

import { noSuchRole, noSuchUser, overQuota, tooContended } from './iam-errors.ts'

/** A document with the revision that a conditional write of it names. */
export interface Stored<Doc> {
  readonly doc: Doc
  readonly rev: number
}

export const docOf = <Doc>(row: MetaRow) => row.doc as unknown as Doc

export async function read<Doc>(meta: Meta, key: string): Promise<Stored<Doc> | undefined> {
  const row = await meta.get(key)
  return row ? { doc: docOf<Doc>(row), rev: row.rev } : undefined
}

export async function requireUser(meta: Meta, account: string, name: string): Promise<Stored<IamUser>> {
  const user = await read<IamUser>(meta, iamUserKey(account, name))
  if (!user) throw noSuchUser(name)
  return user
}

export async function requireRole(meta: Meta, account: string, name: string): Promise<Stored<IamRole>> {
  const role = await read<IamRole>(meta, iamRoleKey(account, name))
  if (!role) throw noSuchRole(name)
  return role
}

/** `ifRev` 0: it must not exist yet; undefined: whatever is there. */
export const put = (key: string, doc: object, ifRev?: number): MetaWrite => ({
  key,
  doc: doc as unknown as Json,
  ...(ifRev !== undefined && { ifRev }),
})
export const remove = (key: string, ifRev?: number): MetaWrite => ({
  key,
  doc: null,
  ...(ifRev !== undefined && { ifRev }),
})

/** `decide` reads anew each time and has no effects of its own. */
export const commit = <Result>(
  meta: Meta,
  decide: () => Promise<{ readonly writes: readonly MetaWrite[]; readonly result: Result }>,
): Promise<Result> => commitWrites(meta, decide, tooContended)

const NO_COUNTS: IamCounts = { users: 0, roles: 0, policies: 0 }
/** AWS's quotas of an account (users can not have more; the other two are the defaults). */
const QUOTAS = {
  users: { name: 'UsersPerAccount', max: 5000 },
  roles: { name: 'RolesPerAccount', max: 1000 },
  policies: { name: 'PoliciesPerAccount', max: 1500 },
} as const

/** The write that counts one more or one less. Throws LimitExceeded. */
export async function countWrite(
  meta: Meta,
  account: string,
  what: keyof IamCounts,
  change: 1 | -1,
): Promise<MetaWrite> {
  const key = iamCountsKey(account)
  const before = await read<IamCounts>(meta, key)
  const counts = before?.doc ?? NO_COUNTS
  const quota = QUOTAS[what]
  if (change === 1 && counts[what] >= quota.max) throw overQuota(quota.name, quota.max)
  return put(key, { ...counts, [what]: counts[what] + change }, before?.rev ?? 0)
}
