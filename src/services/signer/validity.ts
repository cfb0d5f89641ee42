/** How long a signature counts. Pure. */
import type { SigningProfile } from '#contracts/signer.ts'

import { validation } from './signer-errors.ts'

type Validity = SigningProfile['validity']

/** AWS's default, which is also the longest. */
const MAX_MONTHS = 135
export const DEFAULT_VALIDITY: Validity = { value: MAX_MONTHS, type: 'MONTHS' }

/** The same day of a later month, or the last one that it has. */
function monthsLater(timeMs: number, months: number): number {
  const at = new Date(timeMs)
  const day = at.getUTCDate()
  at.setUTCDate(1)
  at.setUTCMonth(at.getUTCMonth() + months)
  const last = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate()
  at.setUTCDate(Math.min(day, last))
  return at.getTime()
}

export function expiryOf(signedAt: number, { value, type }: Validity): number {
  if (type === 'DAYS') return signedAt + value * 86_400_000
  return monthsLater(signedAt, type === 'YEARS' ? value * 12 : value)
}

/** Throws ValidationException: at least a day, at most 135 months (developer guide). */
export function validityOf(
  request: { readonly value?: number | undefined; readonly type?: string | undefined } | undefined,
  nowMs: number,
): Validity {
  if (!request) return DEFAULT_VALIDITY
  const { value, type } = request
  if (value === undefined || type === undefined) {
    throw validation('Signature validity period must have a value and a type')
  }
  const validity = { value, type: type as Validity['type'] }
  // Years of a size that no date has would be no number.
  const expiry = value > 100_000 ? Number.POSITIVE_INFINITY : expiryOf(nowMs, validity)
  if (value < 1 || !(expiry <= monthsLater(nowMs, MAX_MONTHS))) {
    throw validation('Signature validity period must be between 1 day and 135 months')
  }
  return validity
}
