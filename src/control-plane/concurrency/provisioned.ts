/** Provisioned concurrency: what may be configured, and its sums. Texts recorded from AWS unless they say otherwise. */
import { LATEST, type FunctionId } from '#contracts/arn.ts'
import { invalidParameter, LambdaError, resourceConflict } from '#contracts/errors.ts'
import type { Alias, FunctionHead } from '#contracts/function.ts'
import { accountKey, aliasKey, provisionedConcurrencyKey } from '#contracts/keys.ts'
import { MIN_UNRESERVED_CONCURRENCY } from '#contracts/limits.ts'
import { takenConcurrency, type ProvisionedConcurrency } from '#contracts/provisioned-concurrency.ts'

import { countersWrite } from '../account/counters.ts'
import { requireAlias } from '../aliases/aliases.ts'
import type { Dependencies } from '../dependencies.ts'
import { asJson, headWrite, type Documents, type Stored } from '../documents.ts'
import { functionNotFound, isVersionNumber } from '../functions/names.ts'
import { assertInvocable } from '../functions/state.ts'
import { arrivedAlias } from './moving-alias.ts'
import { provisionedUsesOf } from './provisioned-versions.ts'
import { removalOf, withProvisioned } from './removal.ts'

type Needs = Pick<Dependencies, 'documents' | 'committer' | 'clock' | 'random' | 'accountConcurrency'>

/** What a request means when it names an existing version or alias. Throws AWS's 404 otherwise. */
export async function requireProvisionable(
  documents: Documents,
  id: FunctionId,
  qualifier: string,
): Promise<Stored<Alias> | undefined> {
  if (!isVersionNumber(qualifier)) return requireAlias(documents, id, qualifier)
  if (!(await documents.version(id, qualifier))) throw functionNotFound(id, qualifier)
  return undefined
}

/** Refuses a sum that the function's reservation, or the account, has no room for. Pure. */
export function assertRoom(options: {
  readonly head: FunctionHead
  /** The function's sum without the configuration that is written, and that configuration's amount. */
  readonly others: number
  readonly requested: number
  readonly accountConcurrency: number
  /** What all functions take out of the account, this one included. */
  readonly takenInAll: number
}): void {
  const { head, others, requested, accountConcurrency, takenInAll } = options
  const sum = others + requested
  if (head.reservedConcurrency !== undefined) {
    if (sum <= head.reservedConcurrency) return
    throw invalidParameter(
      'Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function',
    )
  }
  const unreserved = accountConcurrency - (takenInAll - takenConcurrency(head))
  if (sum > unreserved) {
    throw beyondAccount(
      `Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [${unreserved - others}].`,
    )
  }
  if (unreserved - sum < MIN_UNRESERVED_CONCURRENCY) {
    throw beyondAccount(
      `Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${MIN_UNRESERVED_CONCURRENCY}].`,
    )
  }
}

/** Recorded without a `Type`. */
const beyondAccount = (message: string) =>
  new LambdaError('InvalidParameterValueException', message, { status: 400, withoutType: true })

const unpublished = () =>
  invalidParameter('Provisioned Concurrency Configs cannot be applied to unpublished function versions.')

/** Versions whose environments the configuration would be about. Refuses an alias that can't have one. */
function versionOf(qualifier: string, alias: Alias | undefined): string {
  if (!alias) return qualifier
  // Quoted from AWS by many clients; also while the alias moves.
  if (alias.additionalVersion) {
    throw invalidParameter('Alias with weights can not be used with Provisioned Concurrency')
  }
  if (alias.version === LATEST) throw unpublished()
  return alias.version
}

async function assertProvisionable(documents: Documents, id: FunctionId, qualifier: string, number: string) {
  const version = await documents.version(id, number)
  if (!version) throw functionNotFound(id, number)
  assertInvocable(version.doc)
  if (version.doc.snapStart === 'PublishedVersions') {
    // That it is refused: developer guide. The text is unverified.
    throw invalidParameter('Provisioned Concurrency is not supported for functions with SnapStart enabled.')
  }
  const uses = await provisionedUsesOf(documents, id)
  const other = uses.find((use) => use.qualifier !== qualifier && use.versions.includes(number))
  if (!other) return
  throw resourceConflict(
    isVersionNumber(qualifier)
      ? 'Version is pointed by a Provisioned Concurrency alias'
      : "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
  )
}

/** Puts the configuration of a version or alias in place of the one it had. */
export function putProvisioned(
  { documents, committer, clock, random, accountConcurrency }: Needs,
  id: FunctionId,
  qualifier: string,
  requested: number,
): Promise<ProvisionedConcurrency> {
  if (qualifier === LATEST) throw unpublished()
  const config: ProvisionedConcurrency = {
    ...id,
    qualifier,
    requested,
    token: random.uuid(),
    modifiedAt: clock.now(),
  }
  return committer.run(accountKey(id), async () => {
    const alias = await requireProvisionable(documents, id, qualifier)
    const before = await documents.requireHead(id, qualifier)
    await assertProvisionable(documents, id, qualifier, versionOf(qualifier, alias?.doc))
    const counters = await documents.counters(id)
    const previous = await documents.provisionedConcurrency(id, qualifier)
    const change = requested - (previous?.doc.requested ?? 0)
    assertRoom({
      head: before.doc,
      others: (before.doc.provisionedConcurrency ?? 0) - (previous?.doc.requested ?? 0),
      requested,
      accountConcurrency,
      takenInAll: counters.doc.reservedConcurrency,
    })
    const head = withProvisioned(before.doc, change)
    const taken = takenConcurrency(head) - takenConcurrency(before.doc)
    return {
      writes: [
        { key: provisionedConcurrencyKey(id, qualifier), ifRev: previous?.rev ?? 0, doc: asJson(config) },
        headWrite(before, head),
        countersWrite(id, counters, { reservedConcurrency: taken }),
      ],
      result: config,
    }
  })
}

/** Refuses the qualifiers that can't have a configuration, whether the function exists or not. */
export function assertQualified(qualifier: string | undefined): string {
  if (qualifier !== undefined && qualifier !== LATEST) return qualifier
  throw invalidParameter('The function resource provided must be an alias or a published version.')
}

export const provisionedNotFound = () =>
  new LambdaError(
    'ProvisionedConcurrencyConfigNotFoundException',
    'No Provisioned Concurrency Config found for this function',
    { status: 404 },
  )

/** Deleting a configuration that does not exist is no error. An alias that was moving has arrived. */
export function deleteProvisioned(
  { documents, committer, random }: Omit<Needs, 'clock' | 'accountConcurrency'>,
  id: FunctionId,
  qualifier: string,
): Promise<void> {
  const revisionId = random.uuid()
  return committer.run(accountKey(id), async () => {
    const alias = await requireProvisionable(documents, id, qualifier)
    const before = await documents.requireHead(id, qualifier)
    const { writes, requested } = await removalOf(documents, id, qualifier)
    if (writes.length === 0) return { writes: [], result: undefined }
    const counters = await documents.counters(id)
    const head = withProvisioned(before.doc, -requested)
    const taken = takenConcurrency(head) - takenConcurrency(before.doc)
    const arrived = alias?.doc.moving ? arrivedAlias(alias.doc, revisionId) : undefined
    return {
      writes: [
        ...writes,
        ...(arrived && alias
          ? [{ key: aliasKey(id, qualifier), ifRev: alias.rev, doc: asJson(arrived) }]
          : []),
        headWrite(before, head),
        countersWrite(id, counters, { reservedConcurrency: taken }),
      ],
      result: undefined,
    }
  })
}
