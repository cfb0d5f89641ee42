/** How many environments a version on a capacity provider should have next. Pure. */
import type { ScalingLimits } from '#contracts/capacity-provider.ts'

export interface ScaleState {
  readonly limits: ScalingLimits
  /** What is kept now. */
  readonly target: number
  /** Most invocations at the same moment in the last period, refused ones included. */
  readonly peak: number
  /** Invocations that one environment runs at the same time. */
  readonly places: number
  /** Periods in a row in which one environment fewer would have done. */
  readonly calmPeriods: number
  /** Environments that the provider has vCPUs for. */
  readonly affordable: number
}

export interface ScaleDecision {
  readonly target: number
  readonly calmPeriods: number
}

/** Above this share of all places more environments are started, so that there is room before it is needed. */
const BUSY_SHARE = 0.7
/** Share of the places that is aimed at. */
const AIMED_SHARE = 0.5
/** After so many calm periods one environment goes: scaling in is slower than scaling out, as with AWS. */
const CALM_PERIODS = 60

/** AWS scales on the saturation of the places and on CPU; here on the saturation alone. At most twice as many at once. */
export function decideScale(state: ScaleState): ScaleDecision {
  const { limits, target, peak, places, affordable } = state
  const most = Math.min(limits.maxEnvironments, affordable)
  const within = (wanted: number) => Math.max(Math.min(wanted, most), Math.min(limits.minEnvironments, most))
  if (peak > target * places * BUSY_SHARE) {
    const aimed = Math.ceil(peak / (places * AIMED_SHARE))
    return { target: within(Math.max(target, Math.min(aimed, Math.max(1, target * 2)))), calmPeriods: 0 }
  }
  const isCalm = target > limits.minEnvironments && peak <= (target - 1) * places * AIMED_SHARE
  const calmPeriods = isCalm ? state.calmPeriods + 1 : 0
  if (calmPeriods < CALM_PERIODS) return { target: within(target), calmPeriods }
  return { target: within(target - 1), calmPeriods: 0 }
}
