/** How the filters of a mapping that names a key rest in the store. */
import type { Scope } from '#contracts/arn.ts'
import type { MappingSettings } from '#contracts/mapping.ts'
import type { Sealer } from '#kernel/sealed.ts'

type Place = Scope & { readonly uuid: string }

/** Binds sealed filters to their mapping. */
export const filtersContext = ({ account, region, uuid }: Place) =>
  `mapping-filters/${account}/${region}/${uuid}`

/** The patterns; `sealed` when they can't be opened (another key, or changed bytes). */
export function openFilters(
  sealer: Sealer,
  place: Place,
  { filters, sealedFilters }: MappingSettings,
): readonly string[] | undefined | 'sealed' {
  if (sealedFilters === undefined) return filters
  try {
    return JSON.parse(sealer.open(sealedFilters, filtersContext(place))) as readonly string[]
  } catch {
    return 'sealed'
  }
}
