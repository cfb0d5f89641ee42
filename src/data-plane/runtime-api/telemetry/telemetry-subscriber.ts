/** One subscriber's batches: filled up to its limits, sent one after the other, dropped when it does not keep up. */
import type { Buffering } from '#data-plane/runtime-api/telemetry/subscription-request.ts'
import type { Clock } from '#kernel/clock.ts'

/** Events of one delivery, each the JSON text of one event. */
export type DeliverBatch = (events: readonly string[]) => Promise<void>

export interface TelemetrySubscriber {
  add(event: string): void
  /** Sends what is held. Resolves when nothing is held or on its way any more. */
  flush(): Promise<void>
  stop(): void
}

/** Batches that wait while one is on its way. */
const MAX_WAITING_BATCHES = 2
/** Recorded in AWS's own emulator. */
const TOO_SLOW =
  'Some logs were dropped because the downstream consumer is slower than the logs production rate'

interface Batch {
  readonly events: string[]
  bytes: number
}

export function createTelemetrySubscriber(options: {
  readonly buffering: Buffering
  readonly deliver: DeliverBatch
  /** A batch is lost; everybody who listens to the platform is told. */
  readonly onDropped: (dropped: {
    readonly reason: string
    readonly records: number
    readonly bytes: number
  }) => void
  readonly clock: Clock
}): TelemetrySubscriber {
  const { buffering, deliver, onDropped, clock } = options
  let current: Batch = { events: [], bytes: 0 }
  const waiting: Batch[] = []
  let sending: Promise<void> | undefined
  let cancelTimer: (() => void) | undefined
  let stopped = false

  const drop = (batch: Batch, reason: string) =>
    onDropped({ reason, records: batch.events.length, bytes: batch.bytes })

  const sendAll = async () => {
    for (let batch = waiting.shift(); batch && !stopped; batch = waiting.shift()) {
      try {
        await deliver(batch.events)
      } catch (error) {
        if (!stopped)
          drop(batch, `could not send events: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    sending = undefined
  }

  const close = () => {
    cancelTimer?.()
    cancelTimer = undefined
    if (current.events.length === 0) return
    const batch = current
    current = { events: [], bytes: 0 }
    if (waiting.length >= MAX_WAITING_BATCHES) {
      drop(batch, TOO_SLOW)
      return
    }
    waiting.push(batch)
    sending ??= sendAll()
  }

  return {
    add(event) {
      if (stopped) return
      current.events.push(event)
      current.bytes += Buffer.byteLength(event)
      if (current.events.length >= buffering.maxItems || current.bytes >= buffering.maxBytes) close()
      else cancelTimer ??= clock.after(buffering.timeoutMs, close)
    },
    async flush() {
      close()
      while (sending) await sending
    },
    stop() {
      stopped = true
      cancelTimer?.()
      waiting.length = 0
      current = { events: [], bytes: 0 }
    },
  }
}
