/** The generated cases of requests that come faster than AWS takes them: one for each operation that can be asked so fast. */
import { apiRateOf } from '#contracts/api-rates.ts'
import type { ServiceModel } from '#wire/model.ts'

import { observed, refused } from '../parity-case.ts'
import type { GeneratedCase } from './generated-cases.ts'
import { requestOf } from './raw-request.ts'
import { validStructure } from './valid-values.ts'

export interface RateCase extends GeneratedCase {
  readonly perSecond: number
}

/** What one client can exceed on a busy machine. */
const REACHABLE_PER_SECOND = 300

const TOO_FAST = refused(429, 'TooManyRequestsException', {
  Reason: 'CallerRateLimitExceeded',
  Type: 'User',
  message: 'Rate exceeded',
})
const QUOTED = observed('users of AWS, who have quoted this answer')

/** `documents`: whether the SDK documents TooManyRequestsException for an operation. */
export function rateCases(
  model: ServiceModel,
  operations: readonly string[],
  documents: (operation: string) => boolean,
): RateCase[] {
  return operations.flatMap((operation) => {
    const rate = apiRateOf(operation)
    if (!rate || rate.perSecond > REACHABLE_PER_SECOND || !documents(operation)) return []
    const input = model.operations[operation]?.input
    return {
      operation,
      name: 'faster than AWS takes it',
      request: requestOf(model, operation, input === undefined ? {} : validStructure(model, input)),
      expect: TOO_FAST,
      source: QUOTED,
      perSecond: rate.perSecond,
    }
  })
}
