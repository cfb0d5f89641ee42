/** Which versions of a function have provisioned concurrency, and through which configuration. */
import type { FunctionId } from '#contracts/arn.ts'
import { provisionedConcurrencyPrefix } from '#contracts/keys.ts'
import type { ProvisionedConcurrency } from '#contracts/provisioned-concurrency.ts'

import { docOf, walk, type Documents } from '../documents.ts'
import { isVersionNumber } from '../functions/names.ts'

export interface ProvisionedUse {
  readonly qualifier: string
  /** An alias with weights has two. */
  readonly versions: readonly string[]
}

export async function provisionedUsesOf(
  documents: Documents,
  id: FunctionId,
): Promise<readonly ProvisionedUse[]> {
  const uses: ProvisionedUse[] = []
  for await (const row of walk(documents.meta, provisionedConcurrencyPrefix(id))) {
    const { qualifier } = docOf<ProvisionedConcurrency>(row)
    const alias = isVersionNumber(qualifier) ? undefined : (await documents.alias(id, qualifier))?.doc
    const versions = alias ? [alias.version, alias.additionalVersion?.version ?? alias.version] : [qualifier]
    uses.push({ qualifier, versions })
  }
  return uses
}
