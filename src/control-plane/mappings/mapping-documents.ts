/** The documents of a mapping: itself, and the indexes that are written together with it. */
import { createHash } from 'node:crypto'

import type { FunctionId, Scope } from '#contracts/arn.ts'
import { resourceNotFound } from '#contracts/errors.ts'
import {
  mappingKey,
  mappingOfFunctionPrefix,
  mappingOfSourcePrefix,
  mappingPairKey,
  mappingInTransitionKey,
} from '#contracts/keys.ts'
import { isMappingInTransition, mappingFunctionArn, type EventSourceMapping } from '#contracts/mapping.ts'
import type { MetaWrite } from '#store/port.ts'

import { asJson, docOf, type Documents, type Stored } from '../documents.ts'
import { arnOfSource, recordsOf } from './event-source.ts'

const digest = (text: string) => createHash('sha256').update(text).digest('hex')

export const sourceDigest = digest

export const functionOf = ({ account, region, functionName }: EventSourceMapping): FunctionId => ({
  account,
  region,
  name: functionName,
})

/** Throws AWS's 404 (recorded), also for what is no UUID of ours. */
export async function requireMapping(
  { meta }: Documents,
  { account, region }: Scope,
  uuid: string,
): Promise<Stored<EventSourceMapping>> {
  const row = await meta.get(mappingKey({ account, region }, uuid))
  if (!row) throw resourceNotFound('The resource you requested does not exist.')
  return { doc: docOf<EventSourceMapping>(row), rev: row.rev }
}

/** The document, and whether the next start has to take it up. */
function ownWrites(mapping: EventSourceMapping, ifRev: number, isRemoved: boolean): readonly MetaWrite[] {
  const key = mappingKey(mapping, mapping.uuid)
  const isOnItsWay = !isRemoved && isMappingInTransition(mapping.state)
  return [
    { key, ifRev, doc: isRemoved ? null : asJson(mapping) },
    { key: mappingInTransitionKey(key), doc: isOnItsWay ? {} : null },
  ]
}

/** The mapping alone: its function and source stay what they were. */
export const mappingWrites = (
  before: Stored<EventSourceMapping>,
  doc: EventSourceMapping,
): readonly MetaWrite[] => ownWrites(doc, before.rev, false)

/** Keys of what a function must be mapped to only once. */
export const pairKeys = (mapping: EventSourceMapping): readonly string[] =>
  recordsOf(mapping.source).map((records) =>
    mappingPairKey(mapping, digest(`${mappingFunctionArn(mapping)} ${mapping.source.kind} ${records}`)),
  )

const indexKeys = (mapping: EventSourceMapping): readonly string[] => {
  const arn = arnOfSource(mapping.source)
  return [
    `${mappingOfFunctionPrefix(functionOf(mapping))}${mapping.uuid}`,
    ...(arn === undefined ? [] : [`${mappingOfSourcePrefix(mapping, digest(arn))}${mapping.uuid}`]),
  ]
}

/**
 * Writes a mapping with its indexes; `after` undefined removes them. A pair that is new must not exist: who takes it first
 * has it, whatever another request has seen.
 */
export function wholeWrites(
  before: Stored<EventSourceMapping> | undefined,
  after: EventSourceMapping | undefined,
): readonly MetaWrite[] {
  const mapping = after ?? before?.doc
  if (!mapping) return []
  const pairs = changes(before && pairKeys(before.doc), after && pairKeys(after))
  const indexes = changes(before && indexKeys(before.doc), after && indexKeys(after))
  return [
    ...ownWrites(mapping, before?.rev ?? 0, after === undefined),
    ...pairs.added.map((key) => ({ key, ifRev: 0, doc: { uuid: mapping.uuid } })),
    ...indexes.added.map((key) => ({ key, doc: {} })),
    ...[...pairs.removed, ...indexes.removed].map((key) => ({ key, doc: null })),
  ]
}

/** A mapping may name the same records twice; each key is written once. */
function changes(before: readonly string[] = [], after: readonly string[] = []) {
  const [old, now] = [new Set(before), new Set(after)]
  return {
    added: [...now].filter((key) => !old.has(key)),
    removed: [...old].filter((key) => !now.has(key)),
  }
}
