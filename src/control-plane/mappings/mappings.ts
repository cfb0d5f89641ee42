/** Creates, changes and deletes event source mappings. Each answers while the mapping is still on its way. */
import type { UpdateEventSourceMappingRequest } from '@aws-sdk/client-lambda'

import type { Scope } from '#contracts/arn.ts'
import { invalidParameter, resourceConflict, throttled } from '#contracts/errors.ts'
import { mappingKey } from '#contracts/keys.ts'
import { mappingFunctionArn, type EventSourceMapping } from '#contracts/mapping.ts'

import type { Dependencies } from '../dependencies.ts'
import type { Documents, Stored } from '../documents.ts'
import { withoutUndefined } from '../functions/configuration.ts'
import { isVersionNumber, resolveFunction, type Caller, type Target } from '../functions/names.ts'
import { assertTags } from '../tags/tags.ts'
import { changedSource, sourceOf } from './event-source.ts'
import { withFilters } from './filters.ts'
import { mappingWrites, pairKeys, requireMapping, wholeWrites } from './mapping-documents.ts'
import { assertSteady, stepTo, updatingState } from './mapping-lifecycle.ts'
import type { CreateRequest } from './mapping-request.ts'
import { changedSettings } from './settings.ts'
import { assertComplete, assertMembers, rulesOf } from './source-rules.ts'
import { positionOf } from './starting-position.ts'

type Needs = Pick<
  Dependencies,
  'documents' | 'committer' | 'mappingProgress' | 'filters' | 'clock' | 'random'
>

const scopeOf = ({ account, region }: Caller): Scope => ({ account, region })

/**
 * Recorded for functions; that versions, aliases, and functions of other accounts (which can't be mapped) are spoken of
 * in the same way is unverified.
 */
async function requireTarget(documents: Documents, { account }: Scope, { id, qualifier }: Target) {
  const missing = () => invalidParameter('Function does not exist')
  if (id.account !== account || !(await documents.head(id))) throw missing()
  if (qualifier === undefined || qualifier.startsWith('$LATEST')) return
  const found = isVersionNumber(qualifier)
    ? await documents.version(id, qualifier)
    : await documents.alias(id, qualifier)
  if (!found) throw missing()
}

/** Refuses a second mapping of the same records to the same function. Texts recorded, the inner spaces too. */
async function assertOnlyOne(documents: Documents, mapping: EventSourceMapping): Promise<void> {
  for (const key of pairKeys(mapping)) {
    const other = (await documents.meta.get(key))?.doc as { readonly uuid?: string } | null | undefined
    if (other?.uuid === undefined || other.uuid === mapping.uuid) continue
    throw resourceConflict(
      `${conflictOf(mapping)} already exists. Please update or delete the existing mapping with UUID ${other.uuid}`,
    )
  }
}

function conflictOf(mapping: EventSourceMapping): string {
  const { source, functionName } = mapping
  switch (source.kind) {
    case 'sqs':
      return `An event source mapping with SQS arn (" ${source.arn} ") and function (" ${functionName} ")`
    case 'msk':
    case 'kafka': {
      const place = source.kind === 'msk' ? source.arn : source.bootstrapServers.join(',')
      return `An event source mapping with event source ("${place}"), function ("${mappingFunctionArn(mapping)}"), topics ("${source.topics.join(',')}")`
    }
    default:
      // Recorded for streams; unverified for brokers and DocumentDB.
      return `The event source arn (" ${source.arn} ") and function (" ${functionName} ") provided mapping`
  }
}

export async function createMapping(
  needs: Needs,
  caller: Caller,
  request: CreateRequest,
): Promise<EventSourceMapping> {
  const { documents, committer, mappingProgress, filters, clock, random } = needs
  const uuid = random.uuid()
  const scope = scopeOf(caller)
  // The source comes before the function (recorded).
  const source = sourceOf(request, uuid)
  assertMembers(source, request)
  assertComplete(source, request)
  const rules = rulesOf(source)
  const settings = changedSettings(source, rules.defaults, request)
  assertTags({}, request.Tags ?? {})
  const { id, qualifier } = resolveFunction(request.FunctionName, caller, {
    operation: 'CreateEventSourceMapping',
  })
  const now = clock.now()
  const mapping = withoutUndefined<EventSourceMapping>({
    ...scope,
    uuid,
    source,
    functionName: id.name,
    qualifier,
    ...positionOf(source, request, now),
    settings: await withFilters(filters, { ...scope, uuid }, settings, request),
    enabled: request.Enabled ?? true,
    state: 'Creating',
    stateTransitionReason: rules.userReason,
    lastProcessingResult: rules.lastProcessingResult,
    tags: request.Tags ?? {},
    generation: random.uuid(),
    modifiedAt: now,
  })
  assertRoom(needs)
  const created = await committer.run(pairKeys(mapping)[0] ?? uuid, async () => {
    await requireTarget(documents, scope, { id, qualifier })
    await assertOnlyOne(documents, mapping)
    return { writes: wholeWrites(undefined, mapping), result: mapping }
  })
  mappingProgress.drive(created)
  return created
}

export async function updateMapping(
  needs: Needs,
  caller: Caller,
  request: UpdateEventSourceMappingRequest,
): Promise<EventSourceMapping> {
  const { documents, committer, mappingProgress, filters, clock, random } = needs
  const { UUID: uuid = '', FunctionName: name, ...members } = request
  const target =
    name === undefined ? undefined : resolveFunction(name, caller, { operation: 'UpdateEventSourceMapping' })
  const generation = random.uuid()
  assertRoom(needs)
  const updated = await committer.run(mappingKey(caller, uuid), async () => {
    const before = await requireMapping(documents, scopeOf(caller), uuid)
    const after = await changed(before, target, members)
    if (target) await requireTarget(documents, caller, target)
    await assertOnlyOne(documents, after)
    return { writes: wholeWrites(before, after), result: after }
  })
  mappingProgress.drive(updated)
  return updated

  async function changed(
    { doc }: Stored<EventSourceMapping>,
    to: typeof target,
    asked: typeof members,
  ): Promise<EventSourceMapping> {
    assertMembers(doc.source, asked)
    assertSteady(doc, 'update')
    const source = changedSource(doc.source, asked)
    const settings = changedSettings(source, doc.settings, asked)
    const enabled = asked.Enabled ?? doc.enabled
    const { qualifier: _qualifier, ...rest } = doc
    return withoutUndefined<EventSourceMapping>({
      ...stepTo(to ? rest : doc, updatingState(doc, enabled), clock.now()),
      ...(to && { functionName: to.id.name, qualifier: to.qualifier }),
      source,
      settings: await withFilters(filters, doc, settings, asked),
      enabled,
      generation,
    })
  }
}

export async function deleteMapping(needs: Needs, caller: Caller, uuid: string): Promise<EventSourceMapping> {
  const { documents, committer, mappingProgress, clock, random } = needs
  const generation = random.uuid()
  assertRoom(needs)
  const deleting = await committer.run(mappingKey(caller, uuid), async () => {
    const before = await requireMapping(documents, scopeOf(caller), uuid)
    assertSteady(before.doc, 'delete')
    const after = { ...stepTo(before.doc, 'Deleting', clock.now()), generation }
    return { writes: mappingWrites(before, after), result: after }
  })
  mappingProgress.drive(deleting)
  return deleting
}

/** Replaces the tags with what `change` makes of them. Nothing else of the mapping changes, whatever state it is in. */
export function changeMappingTags(
  { documents, committer }: Pick<Dependencies, 'documents' | 'committer'>,
  caller: Caller,
  uuid: string,
  change: (tags: EventSourceMapping['tags']) => EventSourceMapping['tags'],
): Promise<void> {
  return committer.run(mappingKey(caller, uuid), async () => {
    const before = await requireMapping(documents, scopeOf(caller), uuid)
    const mapping = { ...before.doc, tags: change(before.doc.tags) }
    return { writes: mappingWrites(before, mapping), result: undefined }
  })
}

function assertRoom({ mappingProgress }: Needs): void {
  if (!mappingProgress.hasRoom) throw throttled('CallerRateLimitExceeded')
}
