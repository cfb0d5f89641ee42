/** Cuts what a guest prints into log events: one line each, never longer than CloudWatch takes. */
import { KIB } from '#kernel/units.ts'

/** Longest message of one log event (CloudWatch Logs quota as Lambda applies it). A longer line becomes several. */
export const MAX_EVENT_BYTES = 256 * KIB

const NEWLINE = 0x0a

export interface LineSplitter {
  /** The lines that `chunk` completes, without their newlines. The rest waits for more. */
  push(chunk: Buffer): readonly string[]
  /** The unfinished line, if there is one; the next chunk begins a new line. */
  flush(): string | undefined
}

export function createLineSplitter(maxEventBytes = MAX_EVENT_BYTES): LineSplitter {
  let parts: Buffer[] = []
  let heldBytes = 0

  const take = (): string => {
    const [first] = parts
    const whole = parts.length === 1 && first ? first : Buffer.concat(parts)
    parts = []
    heldBytes = 0
    return whole.toString('utf8')
  }

  return {
    push(chunk) {
      const lines: string[] = []
      let at = 0
      while (at < chunk.byteLength) {
        const newline = chunk.indexOf(NEWLINE, at)
        const lineEnd = newline === -1 ? chunk.byteLength : newline
        const room = maxEventBytes - heldBytes
        if (lineEnd - at > room) {
          const cut = characterBoundary(chunk, at, at + room)
          if (cut > at) parts.push(chunk.subarray(at, cut))
          lines.push(take())
          at = cut
          continue
        }
        if (newline === -1) {
          // A copy, because a slice would keep the whole chunk alive for a few bytes.
          parts.push(Buffer.from(chunk.subarray(at)))
          heldBytes += chunk.byteLength - at
          break
        }
        if (heldBytes === 0) lines.push(chunk.toString('utf8', at, newline))
        else {
          parts.push(chunk.subarray(at, newline))
          lines.push(take())
        }
        at = newline + 1
      }
      return lines
    },
    flush: () => (heldBytes === 0 ? undefined : take()),
  }
}

/** A message in pieces that each fit into one event; almost always the message itself. */
export function cutMessage(message: string, maxEventBytes = MAX_EVENT_BYTES): readonly string[] {
  // A UTF-16 unit is at most three bytes, so short ones need no counting.
  if (message.length * 3 <= maxEventBytes || Buffer.byteLength(message) <= maxEventBytes) return [message]
  const bytes = Buffer.from(message)
  const pieces: string[] = []
  for (let at = 0; at < bytes.byteLength;) {
    const end = at + maxEventBytes
    const cut = end >= bytes.byteLength ? bytes.byteLength : characterBoundary(bytes, at, end)
    pieces.push(bytes.toString('utf8', at, cut))
    at = cut
  }
  return pieces
}

/** The last position up to `end` that does not split a UTF-8 character; `end` itself when the bytes are no UTF-8. */
function characterBoundary(bytes: Buffer, start: number, end: number): number {
  for (let at = end; at > start && at > end - 4; at--) {
    if (((bytes[at] ?? 0) & 0xc0) !== 0x80) return at
  }
  return end
}
