/** Reads and changes the scheduler's documents. */
import type { Scope } from '#contracts/arn.ts'
import {
  DEFAULT_GROUP,
  groupKey,
  scheduleKey,
  type Schedule,
  type ScheduleGroup,
} from '#contracts/scheduler.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import { commitWrites, pageBelow } from '#services/documents.ts'
import type { Meta, MetaRow, MetaWrite } from '#store/port.ts'

import { noSuchGroup, noSuchSchedule, tooContended, validation } from './scheduler-errors.ts'

export interface Stored<Doc> {
  readonly doc: Doc
  readonly rev: number
}

export const docOf = <Doc>({ doc }: Pick<MetaRow, 'doc'>) => doc as unknown as Doc
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

export async function read<Doc>(meta: Meta, key: string): Promise<Stored<Doc> | undefined> {
  const row = await meta.get(key)
  return row ? { doc: docOf<Doc>(row), rev: row.rev } : undefined
}

/** The default group is there without having been made. */
export async function requireGroup(
  meta: Meta,
  clock: Clock,
  { account, region }: Scope,
  name: string,
): Promise<Stored<ScheduleGroup>> {
  const where = { account, region }
  const stored = await read<ScheduleGroup>(meta, groupKey(where, name))
  if (stored) return stored
  if (name !== DEFAULT_GROUP) throw noSuchGroup(name)
  const now = clock.now()
  const doc: ScheduleGroup = { ...where, name, state: 'ACTIVE', createdAt: now, modifiedAt: now, tags: {} }
  const written = await meta.txn([put(groupKey(where, name), doc, 0)])
  return written === 'conflict' ? requireGroup(meta, clock, where, name) : { doc, rev: written.rev }
}

export async function requireSchedule(
  meta: Meta,
  where: Scope,
  group: string,
  name: string,
): Promise<Stored<Schedule>> {
  const schedule = await read<Schedule>(meta, scheduleKey(where, group, name))
  if (!schedule) throw noSuchSchedule(name)
  return schedule
}

/** `decide` reads anew each time and has no effects of its own. */
export const commit = <Result>(
  meta: Meta,
  decide: () => Promise<{ readonly writes: readonly MetaWrite[]; readonly result: Result }>,
): Promise<Result> => commitWrites(meta, decide, tooContended)

const DEFAULT_PAGE = 100

export async function pageOf<Item>(
  meta: Meta,
  prefix: string,
  { MaxResults = DEFAULT_PAGE, NextToken }: { readonly MaxResults?: number; readonly NextToken?: string },
  wanted: (row: MetaRow) => Item | undefined,
): Promise<{ readonly items: readonly Item[]; readonly next: { readonly NextToken?: string } }> {
  const after = NextToken === undefined ? '' : positionOf(NextToken)
  const { items, last } = await pageBelow(meta, prefix, { limit: MaxResults, after }, wanted)
  return { items, next: last === undefined ? {} : { NextToken: Buffer.from(last).toString('base64url') } }
}

function positionOf(token: string): string {
  const position = Buffer.from(token, 'base64url').toString()
  // Text unverified.
  if (position === '' || Buffer.from(position).toString('base64url') !== token) {
    throw validation('Invalid NextToken.')
  }
  return position
}
