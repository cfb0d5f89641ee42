/** Deletes a function with everything below it, or one published version. */
import { LATEST, LATEST_PUBLISHED, type FunctionId } from '#contracts/arn.ts'
import { invalidParameter, resourceConflict } from '#contracts/errors.ts'
import type { FunctionUrlPointer } from '#contracts/function-url.ts'
import type { Alias, FunctionVersion } from '#contracts/function.ts'
import {
  accountKey,
  aliasPrefix,
  codeSigningUseKey,
  eventInvokeConfigKey,
  eventInvokeConfigPrefix,
  functionKey,
  functionScalingKey,
  functionScalingPrefix,
  functionUrlPrefix,
  policyKey,
  policyPrefix,
  provisionedConcurrencyPrefix,
  runtimeManagementKey,
  runtimeManagementPrefix,
  urlKey,
  versionKey,
  versionPrefix,
} from '#contracts/keys.ts'
import { takenConcurrency } from '#contracts/provisioned-concurrency.ts'
import type { MetaWrite } from '#store/port.ts'

import { countedBytes } from '../artifacts/bucket-package.ts'
import { countersWrite } from '../account/counters.ts'
import { unuseWrites } from '../capacity-providers/provider-use.ts'
import { removalOf, withProvisioned } from '../concurrency/removal.ts'
import type { Dependencies } from '../dependencies.ts'
import { docOf, headWrite, walk } from '../documents.ts'
import { isVersionNumber } from './names.ts'

type Needs = Pick<Dependencies, 'documents' | 'committer'>

const remove = (key: string): MetaWrite => ({ key, doc: null })

/** Refuses qualifiers that can't be deleted, whether the function exists or not (seen from AWS). */
export function assertDeletable(qualifier: string | undefined): void {
  if (qualifier === undefined || qualifier === LATEST_PUBLISHED || isVersionNumber(qualifier)) return
  throw invalidParameter(
    qualifier === LATEST
      ? '$LATEST version cannot be deleted without deleting the function.'
      : 'Deletion of aliases is not currently supported.',
  )
}

/**
 * Everything of the function goes in one transaction; its code may be that of others, so the sweeper takes it. Resolves with
 * whether it was on a capacity provider: then its environments go after the answer.
 */
export function deleteFunction({ documents, committer }: Needs, id: FunctionId): Promise<boolean> {
  return committer.run(accountKey(id), async () => {
    const { doc: head, rev } = await documents.requireHead(id)
    const counters = await documents.counters(id)
    const writes: MetaWrite[] = [{ key: functionKey(id), ifRev: rev, doc: null }, ...unuseWrites(head.latest)]
    let codeSizeBytes = countedBytes(head.latest.code)
    for await (const row of walk(documents.meta, versionPrefix(id))) {
      const version = docOf<FunctionVersion>(row)
      writes.push(remove(row.key), ...unuseWrites(version))
      codeSizeBytes += countedBytes(version.code)
    }
    const prefixes = [
      aliasPrefix(id),
      eventInvokeConfigPrefix(id),
      functionScalingPrefix(id),
      policyPrefix(id),
      runtimeManagementPrefix(id),
      provisionedConcurrencyPrefix(id),
    ]
    for (const prefix of prefixes) {
      for await (const row of walk(documents.meta, prefix)) writes.push(remove(row.key))
    }
    for await (const row of walk(documents.meta, functionUrlPrefix(id))) {
      writes.push(remove(row.key), remove(urlKey(docOf<FunctionUrlPointer>(row).urlId)))
    }
    if (head.codeSigningConfigId !== undefined) {
      writes.push(remove(codeSigningUseKey(id, head.codeSigningConfigId)))
    }
    writes.push(
      countersWrite(id, counters, {
        functionCount: -1,
        codeSizeBytes: -codeSizeBytes,
        reservedConcurrency: -takenConcurrency(head),
      }),
    )
    return { writes, result: head.latest.managedInstances !== undefined }
  })
}

/** The same for one version. Deleting one that does not exist is no error; one that an alias points to is (both seen from AWS). */
export function deleteVersion(
  { documents, committer }: Needs,
  id: FunctionId,
  number: string,
): Promise<boolean> {
  return committer.run(accountKey(id), async () => {
    const before = await documents.requireHead(id)
    const version = await documents.version(id, number)
    if (!version) return { writes: [], result: false }
    const aliases: string[] = []
    for await (const row of walk(documents.meta, aliasPrefix(id))) {
      const alias = docOf<Alias>(row)
      if (alias.version === number || alias.additionalVersion?.version === number) aliases.push(alias.alias)
    }
    if (aliases.length > 0) {
      throw resourceConflict(
        `Unable to delete version because the following aliases reference it: [${aliases.join(', ')}]`,
      )
    }
    const counters = await documents.counters(id)
    const provisioned = await removalOf(documents, id, number)
    const head = withProvisioned(before.doc, -provisioned.requested)
    return {
      writes: [
        // Written even when it is unchanged: an alias that is being made at this moment finds out.
        headWrite(before, head),
        ...provisioned.writes,
        remove(versionKey(id, number)),
        remove(eventInvokeConfigKey(id, number)),
        remove(policyKey(id, number)),
        remove(runtimeManagementKey(id, number)),
        remove(functionScalingKey(id, number)),
        ...unuseWrites(version.doc),
        countersWrite(id, counters, {
          codeSizeBytes: -countedBytes(version.doc.code),
          reservedConcurrency: takenConcurrency(head) - takenConcurrency(before.doc),
        }),
      ],
      result: version.doc.managedInstances !== undefined,
    }
  })
}
