/** Reads what a guest prints, at a bounded rate, and hands it on in lines. */
import type { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { createLineSplitter } from '#data-plane/worker/log/line-splitter.ts'
import type { Clock } from '#kernel/clock.ts'
import { MIB } from '#kernel/units.ts'

/** A guest may print this much in one window; after that its pipe fills and its writes wait. */
const WINDOW_MS = 100
const WINDOW_BYTES = 4 * MIB
/** `settle` stops reading after this much, so that a guest which never stops printing cannot hold an answer back. */
const SETTLE_BYTES = 4 * MIB
const SETTLE_TURNS = 256

export interface OutputPump {
  /** Takes what the guest printed by another way than the streams, in its order. */
  feed(chunk: Buffer): void
  /** Ends the unfinished line of `feed`, because a log record follows it. */
  endLine(): void
  /** Resolves when everything that the guest wrote before the call has been handed on, unfinished lines included. */
  settle(): Promise<void>
  /** Reads no more. */
  stop(): void
}

export function createOutputPump(options: {
  readonly streams: readonly Readable[]
  readonly onLines: (lines: readonly string[]) => void
  readonly clock: Clock
}): OutputPump {
  const { streams, onLines, clock } = options
  let readBytes = 0
  let windowBytes = 0
  let paused = false
  let settling = false
  let cancelResume: (() => void) | undefined

  const resume = () => {
    paused = false
    windowBytes = 0
    for (const stream of streams) stream.resume()
  }
  const fed = createLineSplitter()
  const splitters = streams.map((stream) => {
    const splitter = createLineSplitter()
    stream.on('data', (chunk: Buffer) => {
      readBytes += chunk.byteLength
      windowBytes += chunk.byteLength
      const lines = splitter.push(chunk)
      if (lines.length > 0) onLines(lines)
      if (settling) return
      // The window starts with its first byte; one that is not used up costs a timer only where there is output.
      cancelResume ??= clock.after(WINDOW_MS, () => {
        cancelResume = undefined
        windowBytes = 0
        if (paused) resume()
      })
      if (windowBytes < WINDOW_BYTES || paused) return
      paused = true
      for (const other of streams) other.pause()
    })
    // A broken pipe ends the output; the exit of the guest says the rest.
    stream.on('error', () => {})
    return splitter
  })

  return {
    feed(chunk) {
      readBytes += chunk.byteLength
      const lines = fed.push(chunk)
      if (lines.length > 0) onLines(lines)
    },
    endLine() {
      const rest = fed.flush()
      if (rest !== undefined) onLines([rest])
    },
    async settle() {
      settling = true
      if (paused) resume()
      const limit = readBytes + SETTLE_BYTES
      // What the guest wrote before it answered is in the pipe already, so a turn of the event loop that brings
      // nothing means that there is nothing more.
      for (let turn = 0, before = -1; turn < SETTLE_TURNS && before !== readBytes; turn++) {
        before = readBytes
        if (readBytes > limit) break
        await nextTurn()
      }
      for (const splitter of [fed, ...splitters]) {
        const rest = splitter.flush()
        if (rest !== undefined) onLines([rest])
      }
      settling = false
    },
    stop() {
      cancelResume?.()
      for (const stream of streams) {
        stream.removeAllListeners('data')
        stream.destroy()
      }
    },
  }
}
