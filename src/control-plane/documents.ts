/** Reads the control plane's documents from the Meta store. Writes go through `commit.ts`. */
import { NO_COUNTERS, type AccountCounters } from '#contracts/account.ts'
import { LATEST, LATEST_PUBLISHED, type FunctionId, type Scope } from '#contracts/arn.ts'
import type { CapacityProvider, FunctionScaling } from '#contracts/capacity-provider.ts'
import type { CodeSigningConfig } from '#contracts/code-signing.ts'
import type { FunctionUrl, FunctionUrlPointer } from '#contracts/function-url.ts'
import type {
  Alias,
  EventInvokeConfig,
  FunctionHead,
  FunctionVersion,
  PublishedVersion,
  RuntimeManagement,
} from '#contracts/function.ts'
import {
  accountKey,
  aliasKey,
  capacityProviderKey,
  codeSigningConfigKey,
  eventInvokeConfigKey,
  functionKey,
  functionScalingKey,
  functionUrlKey,
  policyKey,
  provisionedConcurrencyKey,
  provisionedStateKey,
  runtimeManagementKey,
  urlKey,
  versionKey,
} from '#contracts/keys.ts'
import type {
  ProvisionedConcurrency,
  ProvisionedConcurrencyState,
} from '#contracts/provisioned-concurrency.ts'
import type { ResourcePolicy } from '#contracts/policy.ts'
import type { Json } from '#kernel/json.ts'
import type { Meta, MetaRow, MetaWrite } from '#store/port.ts'

import { functionNotFound, isStorableVersion, isVersionNumber } from './functions/names.ts'

/** Everything that is not the name of an alias. */
const isPublishedOrLatest = (qualifier: string) =>
  qualifier === LATEST || qualifier === LATEST_PUBLISHED || isVersionNumber(qualifier)

/** A document with the revision that a conditional write of it must name; 0 when it does not exist yet. */
export interface Stored<Doc> {
  readonly doc: Doc
  readonly rev: number
}

/** Documents are plain data; the store only knows them as JSON. */
export const asJson = (doc: object) => doc as unknown as Json
const stored = <Doc>(row: MetaRow | null): Stored<Doc> | undefined =>
  row ? { doc: row.doc as unknown as Doc, rev: row.rev } : undefined
export const docOf = <Doc>(row: MetaRow) => row.doc as unknown as Doc

/** A version as a request means it: which one, and through which qualifier it was reached. */
export interface ResolvedVersion {
  readonly head: FunctionHead
  readonly version: FunctionVersion
}

export interface Documents {
  readonly meta: Meta
  head(id: FunctionId): Promise<Stored<FunctionHead> | undefined>
  /** Throws AWS's 404, which names `qualifier` too when it is given. */
  requireHead(id: FunctionId, qualifier?: string): Promise<Stored<FunctionHead>>
  version(id: FunctionId, version: string): Promise<Stored<PublishedVersion> | undefined>
  alias(id: FunctionId, name: string): Promise<Stored<Alias> | undefined>
  eventInvokeConfig(id: FunctionId, qualifier: string): Promise<Stored<EventInvokeConfig> | undefined>
  /** `qualifier` is `$LATEST` for the function itself. */
  policy(id: FunctionId, qualifier: string): Promise<Stored<ResourcePolicy> | undefined>
  /** `qualifier` is `$LATEST` for the function itself. */
  functionUrl(id: FunctionId, qualifier: string): Promise<Stored<FunctionUrl> | undefined>
  runtimeManagement(id: FunctionId, version: string): Promise<Stored<RuntimeManagement> | undefined>
  codeSigningConfig(scope: Scope, configId: string): Promise<Stored<CodeSigningConfig> | undefined>
  provisionedConcurrency(
    id: FunctionId,
    qualifier: string,
  ): Promise<Stored<ProvisionedConcurrency> | undefined>
  /** As the data plane wrote it last; it may be about an earlier configuration. */
  provisionedState(
    id: FunctionId,
    qualifier: string,
  ): Promise<Stored<ProvisionedConcurrencyState> | undefined>
  capacityProvider(scope: Scope, name: string): Promise<Stored<CapacityProvider> | undefined>
  scaling(id: FunctionId, version: string): Promise<Stored<FunctionScaling> | undefined>
  counters(scope: Scope): Promise<Stored<AccountCounters>>
  /** Follows a version number, `$LATEST` or an alias (its main version). Throws AWS's 404. */
  resolve(id: FunctionId, qualifier: string | undefined): Promise<ResolvedVersion>
}

export function createDocuments(meta: Meta): Documents {
  const read = async <Doc>(key: string) => stored<Doc>(await meta.get(key))
  const documents: Documents = {
    meta,
    head: (id) => read(functionKey(id)),
    async requireHead(id, qualifier) {
      const head = await documents.head(id)
      if (!head) throw functionNotFound(id, qualifier)
      return head
    },
    version: async (id, version) =>
      isStorableVersion(version) || version === LATEST_PUBLISHED
        ? await read(versionKey(id, version))
        : undefined,
    alias: (id, name) => read(aliasKey(id, name)),
    eventInvokeConfig: (id, qualifier) => read(eventInvokeConfigKey(id, qualifier)),
    policy: (id, qualifier) => read(policyKey(id, qualifier)),
    async functionUrl(id, qualifier) {
      const pointer = await read<FunctionUrlPointer>(functionUrlKey(id, qualifier))
      return pointer && (await read(urlKey(pointer.doc.urlId)))
    },
    runtimeManagement: (id, version) => read(runtimeManagementKey(id, version)),
    codeSigningConfig: (scope, configId) => read(codeSigningConfigKey(scope, configId)),
    provisionedConcurrency: (id, qualifier) => read(provisionedConcurrencyKey(id, qualifier)),
    provisionedState: (id, qualifier) => read(provisionedStateKey(id, qualifier)),
    capacityProvider: (scope, name) => read(capacityProviderKey(scope, name)),
    scaling: (id, version) => read(functionScalingKey(id, version)),
    counters: async (scope) => (await read(accountKey(scope))) ?? { doc: NO_COUNTERS, rev: 0 },
    async resolve(id, qualifier) {
      const { doc: head } = await documents.requireHead(id, qualifier)
      let version = qualifier
      if (version !== undefined && !isPublishedOrLatest(version)) {
        version = (await documents.alias(id, version))?.doc.version
        if (version === undefined) throw functionNotFound(id, qualifier)
      }
      if (version === undefined || version === LATEST) return { head, version: head.latest }
      const found = await documents.version(id, version)
      if (!found) throw functionNotFound(id, qualifier)
      return { head, version: found.doc }
    },
  }
  return documents
}

/**
 * Writes a function's head. Everything below a function (versions, aliases, settings) is written together with its head,
 * on condition that the head has not changed, so that two requests on one function never pass each other unseen.
 */
export const headWrite = (before: Stored<FunctionHead>, doc: FunctionHead): MetaWrite => ({
  key: functionKey(doc),
  ifRev: before.rev,
  doc: asJson(doc),
})

/** Rows read at once while walking over a prefix. */
const WALK_PAGE = 200

/** All rows below a prefix, page by page. */
export async function* walk(meta: Meta, prefix: string): AsyncGenerator<MetaRow> {
  let after = ''
  for (;;) {
    const rows = await meta.list(prefix, after, WALK_PAGE)
    yield* rows
    const last = rows.at(-1)
    if (!last || rows.length < WALK_PAGE) return
    after = last.key
  }
}
