import { LATEST, LATEST_PUBLISHED, type FunctionId } from '#contracts/arn.ts'
import { servingVersion, type FunctionHead, type PublishedVersion } from '#contracts/function.ts'
import { addressOf } from '#data-plane/frontend/function-documents.ts'
import type { Placement } from '#data-plane/placement/port.ts'
import type { Meta, MetaChange } from '#store/port.ts'

/**
 * Tells placement which environments are out of date: after new code or configuration, and after deletions.
 * Resolves when it follows the store, with a function that stops it.
 */
export async function feedRetirements(
  meta: Pick<Meta, 'rev' | 'watch'>,
  placement: Pick<Placement, 'retire'>,
): Promise<() => void> {
  /** Once what was published last serves; until then environments of both are there. */
  const retireReplaced = (id: FunctionId, published: PublishedVersion) => {
    if (published.serving) return
    placement.retire({ id, version: LATEST_PUBLISHED, keepGeneration: published.generation })
  }
  const apply = ({ key, doc }: MetaChange) => {
    const address = addressOf(key)
    if (!address || address.kind === 'alias') return
    const { account, region, name, qualifier } = address
    const id = { account, region, name }
    // A numbered version never changes, so only its deletion matters.
    if (address.kind === 'version') {
      if (doc === null) placement.retire({ id, version: qualifier })
      else if (qualifier === LATEST_PUBLISHED) retireReplaced(id, doc as unknown as PublishedVersion)
    } else if (doc === null) placement.retire({ id })
    else {
      const { generation } = servingVersion(doc as unknown as FunctionHead)
      placement.retire({ id, version: LATEST, keepGeneration: generation })
    }
  }
  return meta.watch(await meta.rev(), (changes) => {
    for (const change of changes) apply(change)
  })
}
