/**
 * An alias with provisioned concurrency that is pointed to another version goes on serving the old one, with a weight of
 * 1.0, until the new one's environments are initialised. Clients see those weights, as they do at AWS (seen by several
 * clients, which wait for them to go).
 */
import { LATEST, type FunctionId } from '#contracts/arn.ts'
import { invalidParameter, resourceConflict } from '#contracts/errors.ts'
import type { Alias } from '#contracts/function.ts'

import type { Documents } from '../documents.ts'
import { provisionedUsesOf } from './provisioned-versions.ts'

/** The alias as it is written when `after` was asked for. Pure. */
export function movingAlias(before: Alias, after: Alias, isRoutingGiven: boolean): Alias {
  const { moving: _moving, ...plain } = after
  // Weights that the request names, and those that nobody touched, hold.
  if (after.additionalVersion) return before.moving && !isRoutingGiven ? { ...plain, moving: true } : plain
  const serving =
    before.moving && before.additionalVersion ? before.additionalVersion.version : before.version
  // The weights were cleared, or it goes back to what it still serves.
  if (after.version === before.version || after.version === serving) return plain
  // A deployment by weights has come to its end: the version has its share of environments already.
  if (before.additionalVersion?.version === after.version) return plain
  return { ...plain, additionalVersion: { version: serving, weight: 1 }, moving: true }
}

/** The alias when the environments of its version are initialised. */
export function arrivedAlias(alias: Alias, revisionId: string): Alias {
  const { moving: _moving, additionalVersion: _old, ...rest } = alias
  return { ...rest, revisionId }
}

/** Refuses versions that an alias with provisioned concurrency can't point to (texts as PutProvisionedConcurrencyConfig has them). */
export async function assertMovable(documents: Documents, id: FunctionId, alias: Alias): Promise<void> {
  if (alias.version === LATEST) {
    throw invalidParameter(
      'Provisioned Concurrency Configs cannot be applied to unpublished function versions.',
    )
  }
  const own = new Set([alias.version, alias.additionalVersion?.version])
  for (const { qualifier, versions } of await provisionedUsesOf(documents, id)) {
    if (qualifier === alias.alias || !versions.some((version) => own.has(version))) continue
    throw resourceConflict(
      "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
    )
  }
}
