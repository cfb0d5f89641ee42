/**
 * Starting an environment is a list of hooks, each in its own file, run in the order of `start-environment.ts`. A hook
 * takes what the hooks before it made, returns what it adds, and registers its undoing on `undo` at once when there is
 * something to undo. Undoing runs in the opposite order, whether the start failed half-way or the environment ends
 * years later; it must be safe at any time and must not reject for what is gone already.
 */
import type { FunctionVersion } from '#contracts/function.ts'
import type { RuntimeDescription } from '#contracts/runtime.ts'
import type { SnapshotSpec } from '#data-plane/sandbox/port.ts'
import type { InitializationType } from '#data-plane/worker/port.ts'

export interface Subject {
  readonly version: FunctionVersion
  readonly runtime: RuntimeDescription
  readonly type: InitializationType
  /** It is to be kept, or begins from what was. */
  readonly snapshot?: SnapshotSpec | undefined
}

export type Undo = AsyncDisposableStack
