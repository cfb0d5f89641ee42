/** The asynchronous event queues: durable before the 202, given out in leases, retried later. */
import type { AsyncEvent } from '#contracts/event.ts'
import type { Component } from '#kernel/lifecycle.ts'

/** How an attempt ended, for whoever decides who may have how many. */
export type DispatchOutcome =
  /** It ran, well or with an error of the function's own. */
  | 'ran'
  /** 429: it did not run. */
  | 'throttled'
  /** Platform error or timeout. */
  | 'broken'
  /** Nothing was tried. */
  | 'none'

/** One event given to one poller. Settled exactly once, by `complete` or `retry`; an unsettled one comes back. */
export interface EventLease {
  readonly event: AsyncEvent
  readonly receipt: EventReceipt
}

/** Opaque proof that the holder owns the event now. */
export type EventReceipt = { readonly queue: number; readonly id: bigint; readonly epoch: number }

export interface EventQueues extends Component {
  /** Durable when it resolves. Rejects with a 429 or ServiceException when the queues take nothing more. */
  enqueue(event: AsyncEvent): Promise<void>
  /** Waits until an event is due, then hands out up to `max`. Empty only when `signal` aborts. */
  lease(max: number, signal: AbortSignal): Promise<readonly EventLease[]>
  /**
   * Whether the event is still the holder's: asked last before it runs, since the queue may have changed hands. When not,
   * the holder lets go of it, and it comes back where it belongs.
   */
  mayBegin(receipt: EventReceipt): boolean
  /** Done with it for good. */
  complete(receipt: EventReceipt, outcome?: DispatchOutcome): Promise<void>
  /** Back to the queue until `visibleAt` (wall-clock milliseconds), with new counters. */
  retry(receipt: EventReceipt, visibleAt: number, event: AsyncEvent, outcome?: DispatchOutcome): Promise<void>
  /** Queues that this node owns. */
  readonly owned: number
  /** Events waiting or leased, for metrics and tests. */
  depth(): number
}
