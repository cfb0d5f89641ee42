/** Where the milliseconds of a start go, for the metrics. */
import type { Subject } from '#data-plane/worker/start/stage.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Metrics } from '#observability/port.ts'

/**
 * - `code`: code, layers and interpreter are there;
 * - `sandbox`: taken from the pool and given to the function, or made.
 * Init and the whole have metrics of their own.
 */
export type StartPhase = 'code' | 'sandbox'

export interface PhaseTimer {
  /** The time since the phase before belongs to this one. */
  ended(phase: StartPhase, from?: 'pool' | 'boot'): void
}

export function createPhaseTimer(
  { runtime }: Subject,
  { clock, metrics }: { readonly clock: Clock; readonly metrics: Metrics },
): PhaseTimer {
  let before = clock.monotonic()
  return {
    ended(phase, from) {
      const now = clock.monotonic()
      const labels = { runtime: runtime.identifier, phase, ...(from && { from }) }
      metrics.observe('lambent_environment_start_phase_seconds', (now - before) / 1000, labels)
      before = now
    },
  }
}
