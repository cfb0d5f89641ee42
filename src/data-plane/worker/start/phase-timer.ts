/** Where the milliseconds of a start go, for the metrics and for whoever looks at the newest starts. */
import type { StartPhase, StartReport } from '#data-plane/worker/port.ts'
import type { Subject } from '#data-plane/worker/start/stage.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Metrics } from '#observability/port.ts'

export interface PhaseTimer {
  /** The time since the phase before belongs to this one. */
  ended(phase: StartPhase, from?: StartReport['from']): void
  readonly phases: StartReport['phases']
  readonly from: StartReport['from']
}

export function createPhaseTimer(
  { runtime }: Subject,
  { clock, metrics }: { readonly clock: Clock; readonly metrics: Metrics },
): PhaseTimer {
  let before = clock.monotonic()
  let origin: StartReport['from'] = 'boot'
  const phases: { phase: StartPhase; durationMs: number }[] = []
  return {
    phases,
    get from() {
      return origin
    },
    ended(phase, from) {
      const now = clock.monotonic()
      if (from) origin = from
      phases.push({ phase, durationMs: now - before })
      const labels = { runtime: runtime?.identifier ?? 'image', phase, ...(from && { from }) }
      metrics.observe('lambent_environment_start_phase_seconds', (now - before) / 1000, labels)
      before = now
    },
  }
}
