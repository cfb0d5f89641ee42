/** What is known of one stored message while its queue is open. */
import type { MessageHead } from './message.ts'

/** `leaving`: a removal or a move to another queue is on its way to the disk. */
type EntryState = 'delayed' | 'visible' | 'inFlight' | 'leaving'

export interface Entry {
  readonly id: bigint
  readonly head: MessageHead
  state: EntryState
  /** Wall-clock milliseconds. */
  visibleAt: number
  receives: number
  firstReceivedAt: number | undefined
  /** Tells the handles of one message apart; undefined until this process has given one out. */
  receipt: number | undefined
  /** Undefined while it lies in the log alone. */
  payload: Uint8Array | undefined
  /** Of the removal under way. */
  gone: Promise<void> | undefined
}
