/** The thresholds of placement; each one can be set by whoever wires the program. */
import { availableParallelism } from 'node:os'

import { MINUTE_MS, SECOND_MS } from '#kernel/units.ts'

export interface PlacementPolicy {
  /** An environment that did nothing for so long is stopped. */
  readonly idleTimeoutMs: number
  /** An environment older than this takes no further invocation. */
  readonly maxAgeMs: number
  /** Environments that start at the same time. Many more than there are cores only make each other slower. */
  readonly maxStarting: number
  /** Environments of this host, starting ones included. */
  readonly maxEnvironments: number
  /** From so many idle environments on, a full host keeps room for one more. */
  readonly minIdleForRoomAhead: number
  /**
   * Environments that a function may start on demand at once after a quiet time, and how many more each second.
   */
  readonly scalingBurst: number
  readonly scalingPerSecond: number
  /** Invocations of one function version that wait for an environment. */
  readonly maxWaitingPerVersion: number
  /** Longest wait for an environment; afterwards the caller is throttled. */
  readonly maxWaitMs: number
  /**
   * A function whose invocations take no longer than this is worth a short wait for an environment that runs: on few
   * cores many processes only slow each other down, and the environment used last has the warm caches.
   */
  readonly briefMs: number
  /** Environments of a brief function that may run at once before others wait for one of them. */
  readonly maxRunningBrief: number
  /** Longest such wait; then the invocation gets an environment of its own after all. */
  readonly maxHoldMs: number
  /** Of `maxStarting`, those that nobody waits for because they are to be kept ready. */
  readonly maxStartingKept: number
  /** Pause after an environment that is to be kept ready failed to start; it doubles with each failure in a row. */
  readonly minKeptRetryMs: number
  readonly maxKeptRetryMs: number
}

/** Ten minutes of idleness is within what is observed of Lambda, which promises nothing. */
export const defaultPlacementPolicy = (): PlacementPolicy => ({
  idleTimeoutMs: 10 * MINUTE_MS,
  // Lambda's environments are seen to live for some two hours (unverified).
  maxAgeMs: 120 * MINUTE_MS,
  // Two for each core, because an init also waits; four at least, so that a few slow ones do not shut out the others.
  maxStarting: Math.max(4, 2 * availableParallelism()),
  maxEnvironments: 1000,
  minIdleForRoomAhead: 16,
  // 1,000 in ten seconds for each function, refilled all the time, never more (developer guide, scaling rate).
  scalingBurst: 1000,
  scalingPerSecond: 100,
  maxWaitingPerVersion: 1000,
  maxWaitMs: 2 * MINUTE_MS,
  briefMs: 5,
  maxRunningBrief: 2 * availableParallelism(),
  maxHoldMs: 10,
  maxStartingKept: Math.max(2, availableParallelism()),
  minKeptRetryMs: 30 * SECOND_MS,
  maxKeptRetryMs: 10 * MINUTE_MS,
})
