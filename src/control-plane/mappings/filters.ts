/** A mapping's filters: what is accepted, and how they rest in the store. */
import type { FilterCriteria } from '@aws-sdk/client-lambda'

import type { Scope } from '#contracts/arn.ts'
import { invalidParameter, LambdaError } from '#contracts/errors.ts'
import { parsePattern } from '#contracts/event-pattern/parse-pattern.ts'
import type { FilterVault } from '#contracts/filter-vault.ts'
import type { MappingSettings } from '#contracts/mapping.ts'

import type { SettingsRequest } from './mapping-request.ts'

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

/** The settings with the filters and the key of the request. Throws when a key that is needed can't be used. */
export async function withFilters(
  vault: FilterVault,
  place: Scope & { readonly uuid: string },
  settings: MappingSettings,
  request: Pick<SettingsRequest, 'FilterCriteria' | 'KMSKeyArn'>,
): Promise<MappingSettings> {
  if (request.FilterCriteria === undefined && request.KMSKeyArn === undefined) return settings
  const { filters: _filters, sealedFilters: _sealed, kmsKeyArn: keyBefore, ...rest } = settings
  // An empty text takes the key away (API reference).
  const kmsKeyArn = (request.KMSKeyArn ?? keyBefore) || undefined
  const patterns = request.FilterCriteria
    ? patternsOf(request.FilterCriteria)
    : await openToMove(vault, place, settings)
  if (kmsKeyArn === undefined) return { ...rest, ...(patterns && { filters: patterns }) }
  if (patterns === undefined) return { ...rest, kmsKeyArn }
  return { ...rest, kmsKeyArn, sealedFilters: await vault.seal(place, patterns, kmsKeyArn) }
}

/** Filters that go from one key to another have to be readable. */
async function openToMove(
  vault: FilterVault,
  place: Scope & { readonly uuid: string },
  settings: MappingSettings,
) {
  try {
    return await vault.open(place, settings)
  } catch (error) {
    // Text unverified.
    throw invalidParameter(filtersHidden(error).Message)
  }
}

/** What is told in place of filters that can't be decrypted. The text is unverified. */
export function filtersHidden(error: unknown): { readonly ErrorCode: string; readonly Message: string } {
  const code = error instanceof LambdaError ? error.code : 'KMSInvalidStateException'
  const message = error instanceof LambdaError ? error.message : 'The filters can not be read.'
  return {
    ErrorCode: code,
    Message: `Lambda was unable to decrypt the filter criteria. Please check your KMS key settings. KMS Exception: ${code} KMS Message: ${message}`,
  }
}
