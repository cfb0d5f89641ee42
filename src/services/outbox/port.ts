/**
 * A durable outbox: what a service has promised to deliver. Stored before the promise is given, handed out when it is due,
 * again after a crash, until the service says that it is done with it. At least once; twice only around a fault.
 */
import type { Json } from '#kernel/json.ts'
import type { Component } from '#kernel/lifecycle.ts'

export interface NewDelivery {
  /** Where it goes, such as an ARN: only so many of one lane run at a time, so that a slow target holds up nobody else. */
  readonly lane: string
  /**
   * One at a time in its lane, and strictly in the order in which they were added: what is tried again holds up what came
   * after it. All of a lane or none.
   */
  readonly isOrdered?: boolean
  /** What it is about, for `holds` and `headOf`; several may be about the same. */
  readonly about?: string
  /** Small, and may change with every attempt. */
  readonly head: Json
  readonly payload: Uint8Array
  /** Wall-clock milliseconds; at once when left out. */
  readonly dueAt?: number
}

export interface Delivery {
  readonly head: Json
  readonly payload: Uint8Array
  /** Wall-clock milliseconds at which it was stored. */
  readonly acceptedAt: number
  /** How often it was put off before. */
  readonly attempts: number
}

export type Outcome =
  | { readonly do: 'done' }
  | { readonly do: 'retry'; readonly dueAt: number; readonly head: Json }

/** Must not reject for reasons of the target: that is an outcome. A rejection is tried again later. */
export type Deliver = (delivery: Delivery, signal: AbortSignal) => Promise<Outcome>

export interface Outbox extends Component {
  /**
   * All of them are durable when it resolves. Rejects with `OutboxFull`, then mostly with nothing stored, or with an error of
   * the store; some may then be delivered all the same.
   */
  add(deliveries: readonly NewDelivery[]): Promise<void>
  /** Whether something about this is stored, delivered or not. */
  holds(about: string): boolean
  /** The head of what is stored about this: of the newest, if there are several. */
  headOf(about: string): Json | undefined
  depth(): number
}

/** Too much waits, or nobody owns the queue just now: try again later. */
export class OutboxFull extends Error {
  override name = 'OutboxFull'
}
