/** Life of an execution environment. The table is the rule; the diagram in docs/lifecycles is made from it. */
import type { TransitionTable } from '#kernel/lifecycle.ts'

/**
 * - `booting`: the sandbox starts; it holds no function yet.
 * - `pooled`: booted and isolated, waiting for a function.
 * - `initialising`: it belongs to one function version now and runs its init; never given to another one.
 * - `idle`: initialised, frozen, waiting for an invocation.
 * - `busy`: runs exactly one invocation; on a capacity provider one or more.
 * - `resetting`: crashed or timed out; the process is started again before the next invocation, /tmp is kept.
 * - `stopping`: told to end; `gone`: every process, mount, network namespace and cgroup of it is removed.
 */
export type EnvironmentState =
  | 'booting'
  | 'pooled'
  | 'initialising'
  | 'idle'
  | 'busy'
  | 'resetting'
  | 'stopping'
  | 'gone'

export const NEXT_ENVIRONMENT_STATE = {
  booting: ['pooled', 'initialising', 'stopping', 'gone'],
  pooled: ['initialising', 'stopping', 'gone'],
  initialising: ['idle', 'busy', 'resetting', 'stopping', 'gone'],
  idle: ['busy', 'stopping', 'gone'],
  busy: ['idle', 'resetting', 'stopping', 'gone'],
  resetting: ['initialising', 'busy', 'idle', 'stopping', 'gone'],
  stopping: ['gone'],
  gone: [],
} as const satisfies TransitionTable<EnvironmentState>
