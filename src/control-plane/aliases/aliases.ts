/** Aliases: names that point to a version, or share requests between two. */
import { LATEST, type FunctionId } from '#contracts/arn.ts'
import { invalidParameter, LambdaError, resourceConflict } from '#contracts/errors.ts'
import type { Alias } from '#contracts/function.ts'
import { accountKey, aliasKey, eventInvokeConfigKey, functionKey, policyKey } from '#contracts/keys.ts'
import { takenConcurrency } from '#contracts/provisioned-concurrency.ts'
import { functionArn } from '#contracts/arn.ts'

import { countersWrite } from '../account/counters.ts'
import { assertMovable, movingAlias } from '../concurrency/moving-alias.ts'
import { removalOf, withProvisioned } from '../concurrency/removal.ts'
import type { Dependencies } from '../dependencies.ts'
import { asJson, headWrite, type Documents, type Stored } from '../documents.ts'
import { withoutUndefined } from '../functions/configuration.ts'
import { aliasNotFound, functionNotFound } from '../functions/names.ts'
import { assertRevision } from '../functions/state.ts'

type Needs = Pick<Dependencies, 'documents' | 'committer' | 'random'>

export interface RoutingRequest {
  readonly AdditionalVersionWeights?: Readonly<Record<string, number>> | undefined
}

export interface AliasRequest {
  readonly FunctionVersion?: string | undefined
  readonly Description?: string | undefined
  readonly RoutingConfig?: RoutingRequest | undefined
}

/** The second version of an alias, or none. Refuses what AWS refuses (texts recorded from AWS). */
export function routeOf(version: string, routing: RoutingRequest | undefined): Alias['additionalVersion'] {
  const weights = Object.entries(routing?.AdditionalVersionWeights ?? {})
  if (weights.length > 1) {
    throw invalidParameter('Number of items in AdditionalVersionWeights cannot be greater than 1')
  }
  const [first] = weights
  if (!first) return undefined
  if (version === LATEST) {
    // The one text of an alias that AWS sends without `Type` (recorded).
    throw new LambdaError(
      'InvalidParameterValueException',
      '$LATEST is not supported for an alias pointing to more than 1 version',
      { status: 400, withoutType: true },
    )
  }
  if (first[0] === version) {
    throw invalidParameter(
      `Invalid function version ${version}. Function version ${version} is already included in routing configuration.`,
    )
  }
  return { version: first[0], weight: first[1] }
}

async function assertVersions(documents: Documents, id: FunctionId, alias: Alias): Promise<void> {
  for (const version of [alias.version, alias.additionalVersion?.version]) {
    if (version === undefined || version === LATEST) continue
    if (!(await documents.version(id, version))) throw functionNotFound(id, version)
  }
}

/** The alias after a request; members that it leaves out stay. */
function changed(before: Alias, request: AliasRequest, revisionId: string): Alias {
  const version = request.FunctionVersion ?? before.version
  const kept = before.additionalVersion && {
    AdditionalVersionWeights: { [before.additionalVersion.version]: before.additionalVersion.weight },
  }
  return withoutUndefined<Alias>({
    ...before,
    version,
    description: request.Description ?? before.description,
    additionalVersion: routeOf(version, request.RoutingConfig ?? kept),
    revisionId,
  })
}

export function createAlias(
  { documents, committer, random }: Needs,
  id: FunctionId,
  name: string,
  request: AliasRequest,
): Promise<Alias> {
  const blank: Alias = {
    ...id,
    alias: name,
    version: request.FunctionVersion ?? LATEST,
    description: '',
    revisionId: '',
  }
  const alias = changed(blank, request, random.uuid())
  return committer.run(functionKey(id), async () => {
    const head = await documents.requireHead(id, alias.version)
    await assertVersions(documents, id, alias)
    if (await documents.alias(id, name)) {
      throw resourceConflict(`Alias already exists: ${functionArn(id, name)}`)
    }
    return {
      writes: [
        { key: aliasKey(id, name), ifRev: 0, doc: asJson(alias) },
        // Unchanged, but written: who deletes the function or the version at this moment finds out.
        headWrite(head, head.doc),
      ],
      result: alias,
    }
  })
}

export async function requireAlias(
  documents: Documents,
  id: FunctionId,
  name: string,
): Promise<Stored<Alias>> {
  const alias = await documents.alias(id, name)
  if (!alias) throw aliasNotFound(id, name)
  return alias
}

export function updateAlias(
  { documents, committer, random }: Needs,
  id: FunctionId,
  name: string,
  request: AliasRequest & { readonly RevisionId?: string | undefined },
): Promise<Alias> {
  const revisionId = random.uuid()
  return committer.run(functionKey(id), async () => {
    const before = await requireAlias(documents, id, name)
    const head = await documents.requireHead(id, name)
    assertRevision(before.doc.revisionId, request.RevisionId)
    const isProvisioned = (await documents.provisionedConcurrency(id, name)) !== undefined
    const asked = changed(before.doc, request, revisionId)
    const alias = isProvisioned ? movingAlias(before.doc, asked, request.RoutingConfig !== undefined) : asked
    await assertVersions(documents, id, alias)
    if (isProvisioned) await assertMovable(documents, id, alias)
    return {
      writes: [{ key: aliasKey(id, name), ifRev: before.rev, doc: asJson(alias) }, headWrite(head, head.doc)],
      result: alias,
    }
  })
}

/**
 * Deleting an alias that does not exist is no error. Its settings for asynchronous invocations, its policy and its
 * provisioned concurrency go with it; its function URL stays and serves again when the alias is made again (seen from AWS).
 */
export function deleteAlias(
  { documents, committer }: Omit<Needs, 'random'>,
  id: FunctionId,
  name: string,
): Promise<void> {
  return committer.run(accountKey(id), async () => {
    const before = await documents.requireHead(id)
    if (!(await documents.alias(id, name))) return { writes: [], result: undefined }
    const provisioned = await removalOf(documents, id, name)
    const head = withProvisioned(before.doc, -provisioned.requested)
    const taken = takenConcurrency(head) - takenConcurrency(before.doc)
    return {
      writes: [
        { key: aliasKey(id, name), doc: null },
        { key: eventInvokeConfigKey(id, name), doc: null },
        { key: policyKey(id, name), doc: null },
        ...provisioned.writes,
        headWrite(before, head),
        ...(taken === 0
          ? []
          : [countersWrite(id, await documents.counters(id), { reservedConcurrency: taken })]),
      ],
      result: undefined,
    }
  })
}
