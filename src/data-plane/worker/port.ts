/** The host agent: turns a function version into an execution environment and runs invocations in it. */
import type { EnvironmentState } from '#contracts/environment.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import type { FunctionNetwork } from '#contracts/network.ts'
import type { GuestInvocation, InvocationResult, LogType, ResponseStream } from '#contracts/invocation.ts'
import type { ImageKey } from '#images/port.ts'
import type { Component } from '#kernel/lifecycle.ts'

export type InitializationType =
  | 'on-demand'
  | 'provisioned-concurrency'
  | 'snap-start'
  | 'lambda-managed-instances'

export type EarlyAnswer = Omit<InvocationResult, 'executedVersion'>

/** One initialised environment. It belongs to one function version until it is gone. */
export interface Environment {
  readonly id: string
  readonly version: FunctionVersion
  readonly state: EnvironmentState
  /** Monotonic milliseconds since it became idle; meaningless in other states. */
  readonly idleSince: number
  readonly startedAt: number
  /** False when its init failed or it crashed: its next invocation begins with an init. */
  readonly initialised: boolean
  /**
   * Runs one invocation; the caller must be the only one. Resolves with the answer or the function's error (handler
   * error, exit, timeout, too large a response: all results, with AWS's error documents). Afterwards the environment
   * is idle again, or resets by itself before its next invocation, or is gone. With `stream` an answer that the function
   * streams goes there as it comes, and the result says only how it ended.
   * Rejects only for faults of the platform.
   */
  invoke(
    invocation: GuestInvocation,
    options: {
      readonly logType: LogType
      readonly stream?: ResponseStream | undefined
      /**
       * Called at most once, and before the end, with the answer of a runtime when the environment is busy for longer:
       * its extensions are at work, or the runtime itself. Not for an answer that brings its log or was streamed.
       */
      readonly onAnswer?: (result: EarlyAnswer) => void
    },
  ): Promise<Omit<InvocationResult, 'executedVersion'>>
  /** What it uses now. */
  usage(): EnvironmentUsage
  /** Ends it, as AWS does: SIGTERM where an extension asked for it, then SIGKILL. Safe to call twice. */
  stop(): Promise<void>
  /** Resolves when it is gone, whatever the reason. */
  readonly gone: Promise<void>
}

/** What of this host stands for resources that AWS's other services own. */
export interface HostResources {
  networkOf(version: FunctionVersion): FunctionNetwork
  /** The directory of an access point; undefined: there is none (any more). */
  directoryOf(accessPointArn: string): string | undefined
}

export interface WorkerCapacity {
  /** Memory promised to environments, MiB. */
  readonly memoryMiB: number
  readonly maxMemoryMiB: number
  readonly environments: number
}

/**
 * - `placement`: the invocation that it is for waited until it could begin;
 * - `code`: code, layers and interpreter, or the image, are there;
 * - `sandbox`: taken from the pool and given to the function, or made;
 * - `process`: extensions have registered, the runtime's process has started;
 * - `init`: the runtime has booted, the function is initialised, every extension is ready;
 * - `restore`: it was continued from a snapshot instead.
 */
export type StartPhase = 'placement' | 'code' | 'sandbox' | 'process' | 'init' | 'restore'

/** How one environment started. */
export interface StartReport {
  /** When it was ready, or given up; milliseconds since the epoch. */
  readonly at: number
  readonly functionArn: string
  readonly initializationType: InitializationType
  /** Where its sandbox came from. */
  readonly from: 'pool' | 'boot' | 'snapshot'
  readonly phases: readonly { readonly phase: StartPhase; readonly durationMs: number }[]
  readonly totalMs: number
  /** Nothing could be started, or the function's init failed. */
  readonly failed: boolean
}

/** What an environment uses; what the driver can't tell is left out. */
export interface EnvironmentUsage {
  readonly usedMiB?: number | undefined
  readonly cpuMs?: number | undefined
  readonly invocations: number
}

/** Runtimes of one shape that wait for functions. */
export interface PoolReport {
  readonly runtime: string
  /** What their interpreters were told; the same for all functions where it does not matter. */
  readonly memoryMiB: number
  /** Most of the standard library is loaded too. */
  readonly rich: boolean
  readonly ready: number
  /** As many as there is memory for. */
  readonly wanted: number
  /** Functions that found one ready, and those for which one had to boot. */
  readonly hits: number
  readonly misses: number
}

export interface Worker extends Component {
  /**
   * Starts an environment: fetches and unpacks what is missing, starts the sandbox, runs init.
   * An init that fails in the customer's code is no rejection: the environment reports it at its first invoke, which
   * runs init once more under the function's timeout, as AWS does.
   * Rejects with a `LambdaError` when the host can't (no such runtime, no capacity, damaged code).
   */
  startEnvironment(
    version: FunctionVersion,
    type: InitializationType,
    /** How long the invocation that it is for has waited already. */
    waitedMs?: number,
  ): Promise<Environment>
  /**
   * Makes ready whatever would slow the first start: downloads the runtime, unpacks code and layers.
   * Rejects with a `LambdaError` whose code names what is wrong.
   */
  prepare(version: FunctionVersion): Promise<void>
  capacity(): WorkerCapacity
  /** The newest starts, newest first. */
  starts(): readonly StartReport[]
  /** Runtimes that are booted and belong to no function yet, one entry per shape. */
  pools(): readonly PoolReport[]
  /** Images of the environments there are; their files must stay. */
  images(): readonly ImageKey[]
}
