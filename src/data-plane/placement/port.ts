/** Assignment (which warm environment) and placement (which host starts a new one), behind one call. */
import type { FunctionId } from '#contracts/arn.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import type { GuestInvocation, InvocationResult, LogType, ResponseStream } from '#contracts/invocation.ts'
import type { EnvironmentUsage, InitializationType } from '#data-plane/worker/port.ts'
import type { Component } from '#kernel/lifecycle.ts'

export interface PlacementInvocation {
  readonly version: FunctionVersion
  /** The deadline is set when the environment takes it: waiting for an environment does not count. */
  readonly invocation: Omit<GuestInvocation, 'deadlineMs'>
  readonly logType: LogType
  readonly signal?: AbortSignal
  /** Takes the answer as it comes, if the function streams it. */
  readonly stream?: ResponseStream | undefined
}

export interface EnvironmentSummary {
  readonly id: string
  readonly functionArn: string
  readonly version: string
  readonly state: string
  readonly memoryMiB: number
}

export interface PlacementOverview {
  /** Invocations that wait for an environment. */
  readonly waiting: number
  readonly environments: readonly (Omit<EnvironmentSummary, 'version'> &
    EnvironmentUsage & { readonly ageMs: number })[]
}

export interface RetireTarget {
  readonly id: FunctionId
  /** Undefined: every version of the function. */
  readonly version?: string
  readonly keepGeneration?: string
}

/** Environments of one function version that are to be initialised whether anybody invokes them or not. */
export interface ReadyTarget {
  readonly version: FunctionVersion
  /** 0: none any more. */
  readonly count: number
  readonly initializationType: InitializationType
  /** Told whenever the state has changed, until the next target of this version; never from within `keepReady`. */
  readonly onChange?: (state: ReadyState) => void
}

export interface ReadyState {
  readonly wanted: number
  /** Their initialisation is under way. */
  readonly starting: number
  /** Initialised, busy ones included. */
  readonly ready: number
  /** Why the last attempt came to nothing; undefined once one has succeeded. Attempts go on, ever more rarely. */
  readonly failure?: ReadyFailure
}

export interface ReadyFailure {
  /** `init`: the customer's code; `capacity`: this host has no room; `platform`: anything else. */
  readonly kind: 'init' | 'capacity' | 'platform'
  readonly message: string
}

export interface Placement extends Component {
  /**
   * Runs one invocation: on the idle environment used last, else on whichever comes first, a new environment or one
   * that has become free. Each caller is admitted by counting before, so there is no queue of requests here beyond
   * the environments that are starting. On a capacity provider only those that are kept ready are used, each by as many
   * invocations at once as it may run, and there is no queue at all. Rejects with `LambdaError`, or with the signal's reason when it aborts first.
   */
  invoke(request: PlacementInvocation): Promise<InvocationResult>
  /**
   * Told by the change feed: environments of the function must not be used any more, of all versions or of one, except
   * those of the generation that is valid now. Idle ones stop at once, busy ones after their invocation.
   */
  retire(target: RetireTarget): void
  /**
   * Keeps so many environments of the version initialised from now on, in place of what was asked for it before: starts
   * them, replaces those that die or age, and never reclaims them for being idle. Invocations of the version use them
   * first. A retirement of the version ends it. The same target once more makes it try again at once after failures.
   */
  keepReady(target: ReadyTarget): void
  /**
   * For a version on a capacity provider: the most invocations that were under way or refused at the same moment since
   * it was asked last.
   */
  takePeak(version: FunctionVersion): number
  /** Environments as they are now, for `lambent list`, health and the console. */
  environments(): readonly EnvironmentSummary[]
  /** The same with what they use, for `lambent top`; reads a few files of the kernel for each. */
  overview(): PlacementOverview
}
