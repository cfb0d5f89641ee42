/** The account's sums, and the limits on them. */
import type { AccountCounters } from '#contracts/account.ts'
import type { Scope } from '#contracts/arn.ts'
import { LambdaError } from '#contracts/errors.ts'
import { accountKey } from '#contracts/keys.ts'
import { MAX_CODE_STORAGE_BYTES } from '#contracts/limits.ts'
import type { MetaWrite } from '#store/port.ts'

import { asJson, type Stored } from '../documents.ts'

/**
 * The sums after a change, to be written in the same transaction as what they count.
 * Throws when code is added beyond the storage of the account; less code is always accepted.
 */
export function countersWrite(
  scope: Scope,
  before: Stored<AccountCounters>,
  change: Partial<AccountCounters>,
): MetaWrite {
  const { functionCount = 0, codeSizeBytes = 0, reservedConcurrency = 0 } = change
  const after: AccountCounters = {
    functionCount: Math.max(0, before.doc.functionCount + functionCount),
    codeSizeBytes: Math.max(0, before.doc.codeSizeBytes + codeSizeBytes),
    reservedConcurrency: Math.max(0, before.doc.reservedConcurrency + reservedConcurrency),
  }
  if (codeSizeBytes > 0 && after.codeSizeBytes > MAX_CODE_STORAGE_BYTES) {
    throw new LambdaError('CodeStorageExceededException', 'Code storage limit exceeded.', { status: 400 })
  }
  return { key: accountKey(scope), ifRev: before.rev, doc: asJson(after) }
}
