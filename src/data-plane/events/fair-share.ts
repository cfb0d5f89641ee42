/** Whether a tenant may have one more of the slots in which events run: a pure decision. */

/** Every tenant may have this share of the slots, and two of them however few there are. */
const SHARE = 0.1
const FLOOR = 2
/** More than that only while more than this share of all slots is idle, so that others find one at once. */
const IDLE_RESERVE = 0.3

export const isRoomy = (slots: number, busy: number): boolean => (slots - busy) / slots > IDLE_RESERVE

export function mayHaveSlot({
  slots,
  busy,
  mine,
}: {
  readonly slots: number
  /** Slots in use, by whomever. */
  readonly busy: number
  /** Slots in use by this tenant. */
  readonly mine: number
}): boolean {
  if (busy >= slots) return false
  return mine < Math.max(FLOOR, Math.floor(slots * SHARE)) || isRoomy(slots, busy)
}
