/** Reads and changes EventBridge's documents: read, decide, write on condition, once more when somebody else was faster. */
import type { Scope } from '#contracts/arn.ts'
import { busKey, DEFAULT_BUS, ruleKey, type EventBus, type EventRule } from '#contracts/events.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import { commitWrites, pageBelow } from '#services/documents.ts'
import type { Meta, MetaRow, MetaWrite } from '#store/port.ts'

import { noSuchBus, noSuchRule, tooContended, validation } from './events-errors.ts'

export interface Stored<Doc> {
  readonly doc: Doc
  /** 0: not stored yet. */
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

/** The default bus is there without having been made. Throws when there is no such bus. */
export async function requireBus(
  meta: Meta,
  clock: Clock,
  { account, region, name }: Scope & { readonly name: string },
): Promise<Stored<EventBus>> {
  const stored = await read<EventBus>(meta, busKey({ account, region }, name))
  if (stored) return stored
  if (name !== DEFAULT_BUS) throw noSuchBus(name)
  const now = clock.now()
  const doc: EventBus = { account, region, name, createdAt: now, modifiedAt: now, tags: {} }
  // Written once, so that it keeps its dates.
  const written = await meta.txn([put(busKey(doc, name), doc, 0)])
  return written === 'conflict'
    ? requireBus(meta, clock, { account, region, name })
    : { doc, rev: written.rev }
}

export async function requireRule(
  meta: Meta,
  where: Scope,
  bus: string,
  name: string,
): Promise<Stored<EventRule>> {
  const rule = await read<EventRule>(meta, ruleKey(where, bus, name))
  if (!rule) throw noSuchRule(name, bus)
  return rule
}

/** `decide` reads anew each time and has no effects of its own. */
export const commit = <Result>(
  meta: Meta,
  decide: () => Promise<{ readonly writes: readonly MetaWrite[]; readonly result: Result }>,
): Promise<Result> => commitWrites(meta, decide, tooContended)

const DEFAULT_PAGE = 100

/** A page of the documents below a prefix: EventBridge's `Limit` and `NextToken`. */
export async function pageOf<Item>(
  meta: Meta,
  prefix: string,
  { Limit = DEFAULT_PAGE, NextToken }: { readonly Limit?: number; readonly NextToken?: string },
  wanted: (row: MetaRow) => Item | undefined,
): Promise<{ readonly items: readonly Item[]; readonly next: { readonly NextToken?: string } }> {
  const after = NextToken === undefined ? '' : positionOf(NextToken)
  const { items, last } = await pageBelow(meta, prefix, { limit: Limit, after }, wanted)
  return { items, next: last === undefined ? {} : { NextToken: tokenOf(last) } }
}

/** A page of what is in memory anyway. */
export function pageOfAll<Item>(
  all: readonly Item[],
  { Limit = DEFAULT_PAGE, NextToken }: { readonly Limit?: number; readonly NextToken?: string },
): { readonly items: readonly Item[]; readonly next: { readonly NextToken?: string } } {
  const start = NextToken === undefined ? 0 : Number(positionOf(NextToken))
  const end = start + Limit
  return { items: all.slice(start, end), next: end < all.length ? { NextToken: tokenOf(String(end)) } : {} }
}

const tokenOf = (position: string) => Buffer.from(position).toString('base64url')

function positionOf(token: string): string {
  const position = Buffer.from(token, 'base64url').toString()
  // Text unverified.
  if (position === '' || tokenOf(position) !== token) throw validation('NextToken is not valid.')
  return position
}
