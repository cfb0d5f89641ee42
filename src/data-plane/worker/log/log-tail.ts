/** The last part of an invocation's log, for `LogType=Tail`. */
import { LOG_TAIL_BYTES } from '#contracts/limits.ts'

export interface LogTail {
  add(message: string): void
  /** At most the last 4 KiB, each event closed by a newline; the tail is empty afterwards. */
  take(): Uint8Array
  clear(): void
}

export function createLogTail(maxBytes = LOG_TAIL_BYTES): LogTail {
  let messages: string[] = []
  let heldUnits = 0
  return {
    add(message) {
      // A UTF-16 unit is at least one byte, so this many units at the end are always enough.
      const kept = message.length > maxBytes ? message.slice(-maxBytes) : message
      messages.push(kept)
      heldUnits += kept.length + 1
      if (heldUnits <= 4 * maxBytes) return
      let first = 0
      while (heldUnits - ((messages[first]?.length ?? 0) + 1) >= maxBytes) {
        heldUnits -= (messages[first]?.length ?? 0) + 1
        first++
      }
      messages = messages.slice(first)
    },
    take() {
      const whole = Buffer.from(messages.map((message) => `${message}\n`).join(''))
      this.clear()
      return whole.byteLength <= maxBytes ? whole : whole.subarray(whole.byteLength - maxBytes)
    },
    clear() {
      if (messages.length > 0) messages = []
      heldUnits = 0
    },
  }
}
