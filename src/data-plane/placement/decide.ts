/** Every choice that placement makes: pure functions of what is there now. */
import type { PlacementPolicy } from '#data-plane/placement/policy.ts'

/** One function version's environments, as far as assigning an invocation needs them. */
export interface AssignmentState {
  readonly idle: number
  readonly waiting: number
  /** Starts under way or queued for this version. */
  readonly starting: number
}

export type Assignment =
  /** The idle environment used last takes it. */
  | 'run'
  /** It waits, and one more environment is started for it. */
  | 'start-and-wait'
  /** It waits; a start that nobody waits for any more is its. */
  | 'wait'
  /** Too many wait already. */
  | 'refuse'

/** Which environment takes an invocation. */
export function decideAssignment(
  { idle, waiting, starting }: AssignmentState,
  { maxWaitingPerVersion }: Pick<PlacementPolicy, 'maxWaitingPerVersion'>,
): Assignment {
  if (idle > 0) return 'run'
  if (waiting >= maxWaitingPerVersion) return 'refuse'
  return starting > waiting ? 'wait' : 'start-and-wait'
}

/** One function version, as far as it matters whether its next invocation should wait a moment. */
export interface HoldState {
  /** Environments of it that run an invocation now. */
  readonly running: number
  /** What its invocations took lately; undefined before the first has ended. */
  readonly typicalMs: number | undefined
}

/** Whether an invocation waits a moment for an environment that is about to be free. */
export function decideHold(
  { running, typicalMs }: HoldState,
  { briefMs, maxRunningBrief }: Pick<PlacementPolicy, 'briefMs' | 'maxRunningBrief'>,
): 'hold' | 'go' {
  return typicalMs !== undefined && typicalMs <= briefMs && running >= maxRunningBrief ? 'hold' : 'go'
}

/** How much of the newest duration enters what is typical: after a change of behaviour, about ten invocations. */
const NEWEST_SHARE = 0.2

export const typicalAfter = (typicalMs: number | undefined, durationMs: number) =>
  typicalMs === undefined ? durationMs : typicalMs + (durationMs - typicalMs) * NEWEST_SHARE

/** The host, as far as starting an environment needs it. */
export interface HostState {
  readonly startingNow: number
  /** Environments that exist, starting and stopping ones included. */
  readonly environments: number
  readonly usedMiB: number
  readonly maxMiB: number
  /** Environments that are stopping, and the memory they will give back. */
  readonly stopping: number
  readonly stoppingMiB: number
  /** Idle environments of any function: they can be stopped to make room. */
  readonly idle: number
}

export type StartDecision =
  | 'start'
  /** Stop the environment that has been idle longest, then decide again. */
  | 'reclaim'
  /** Nobody can start anything now: wait until a start has ended or a stopping environment is gone. */
  | 'wait'
  /** There is no room for one of this size; smaller ones may fit. */
  | 'skip'
  /** It would not fit on this host if it were empty. */
  | 'never'

/** Whether the next environment, of `memoryMiB`, starts now. */
export function decideStart(
  host: HostState,
  memoryMiB: number,
  policy: Pick<PlacementPolicy, 'maxStarting' | 'maxEnvironments'>,
): StartDecision {
  if (memoryMiB > host.maxMiB) return 'never'
  if (host.startingNow >= policy.maxStarting) return 'wait'
  const missingPlaces = host.environments + 1 - policy.maxEnvironments
  const missingMiB = host.usedMiB + memoryMiB - host.maxMiB
  if (missingPlaces <= 0 && missingMiB <= 0) return 'start'
  // What is stopping already may be enough; then nothing more has to go.
  if (missingPlaces <= host.stopping && missingMiB <= host.stoppingMiB) return 'wait'
  if (host.idle > 0) return 'reclaim'
  return missingPlaces > 0 ? 'wait' : 'skip'
}

/**
 * Whether an idle environment is stopped ahead of demand, after one of `memoryMiB` has started: on a full host the next
 * function would wait for that. Where few are idle each of them is worth more than the wait.
 */
export function decideRoomAhead(
  host: Omit<HostState, 'startingNow'>,
  memoryMiB: number,
  policy: Pick<PlacementPolicy, 'maxEnvironments' | 'minIdleForRoomAhead'>,
): boolean {
  if (host.idle < policy.minIdleForRoomAhead) return false
  const missingPlaces = host.environments + 1 - host.stopping - policy.maxEnvironments
  const missingMiB = host.usedMiB + memoryMiB - host.stoppingMiB - host.maxMiB
  return missingPlaces > 0 || missingMiB > 0
}

/** What becomes of an environment that has no invocation now. */
export interface KeepState {
  readonly ageMs: number
  readonly idleMs: number
  /** Its code or configuration was replaced, or its function deleted. */
  readonly retired: boolean
}

export function decideKeep(
  { ageMs, idleMs, retired }: KeepState,
  policy: Pick<PlacementPolicy, 'idleTimeoutMs' | 'maxAgeMs'>,
): 'keep' | 'stop' {
  return retired || ageMs >= policy.maxAgeMs || idleMs >= policy.idleTimeoutMs ? 'stop' : 'keep'
}

/** How many waiting invocations nobody starts an environment for any more, after a start has failed. */
export const waitingInVain = ({ waiting, starting }: { waiting: number; starting: number }) =>
  Math.max(0, waiting - starting)

/** One function version's environments that are kept initialised. */
export interface KeptState {
  readonly wanted: number
  /** Initialised environments that may stay. */
  readonly fresh: number
  /** Initialised environments that have reached their age: they stay until others have taken their place. */
  readonly aged: number
  readonly starting: number
  /** The last attempt failed. */
  readonly failing: boolean
  /** It is time for another attempt after a failure. */
  readonly retryDue: boolean
}

/** How many to start and how many to let go. After a failure there is one attempt at a time. */
export function decideKept(state: KeptState): { readonly start: number; readonly stop: number } {
  const { wanted, fresh, aged, starting, failing, retryDue } = state
  const missing = Math.max(0, wanted - fresh - starting)
  const stop = Math.max(0, fresh + aged - wanted)
  if (!failing) return { start: missing, stop }
  return { start: retryDue && starting === 0 ? Math.min(1, missing) : 0, stop }
}
