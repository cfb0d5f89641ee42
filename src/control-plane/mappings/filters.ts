/** A mapping's filters: what is accepted, and how they rest in the store. */
import type { FilterCriteria } from '@aws-sdk/client-lambda'

import type { Scope } from '#contracts/arn.ts'
import { invalidParameter } from '#contracts/errors.ts'
import { parsePattern } from '#contracts/event-pattern/parse-pattern.ts'
import { filtersContext, openFilters } from '#contracts/mapping-filters.ts'
import type { MappingSettings } from '#contracts/mapping.ts'
import type { Sealer } from '#kernel/sealed.ts'

import type { SettingsRequest } from './mapping-request.ts'

type Place = Scope & { readonly uuid: string }

/** Five by default and up to ten by quota (developer guide); what any account may have is accepted. */
const MAX_FILTERS = 10

/** The patterns of a request. Undefined: it names none, or takes them away. */
function patternsOf(criteria: FilterCriteria): readonly string[] | undefined {
  const filters = criteria.Filters ?? []
  // Text unverified.
  if (filters.length > MAX_FILTERS) {
    throw invalidParameter(`The number of filters exceeds the maximum of ${MAX_FILTERS}.`)
  }
  const patterns = filters.map(({ Pattern = '' }) => {
    // Recorded from AWS.
    if (!parsePattern(Pattern)) throw invalidParameter('Invalid filter pattern definition.')
    return Pattern
  })
  return patterns.length === 0 ? undefined : patterns
}

/** The settings with the filters and the key of the request. Filters under a key are sealed, as AWS encrypts them. */
export function withFilters(
  sealer: Sealer,
  place: Place,
  settings: MappingSettings,
  request: Pick<SettingsRequest, 'FilterCriteria' | 'KMSKeyArn'>,
): MappingSettings {
  if (request.FilterCriteria === undefined && request.KMSKeyArn === undefined) return settings
  const { filters: _filters, sealedFilters, kmsKeyArn: keyBefore, ...rest } = settings
  // An empty text takes the key away (API reference).
  const kmsKeyArn = (request.KMSKeyArn ?? keyBefore) || undefined
  const patterns = request.FilterCriteria
    ? patternsOf(request.FilterCriteria)
    : openFilters(sealer, place, settings)
  const key = kmsKeyArn === undefined ? {} : { kmsKeyArn }
  if (patterns === 'sealed') return { ...rest, ...key, ...(sealedFilters !== undefined && { sealedFilters }) }
  if (patterns === undefined) return { ...rest, ...key }
  return kmsKeyArn === undefined
    ? { ...rest, filters: patterns }
    : { ...rest, ...key, sealedFilters: sealer.seal(JSON.stringify(patterns), filtersContext(place)) }
}
