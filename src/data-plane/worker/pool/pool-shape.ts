/** What has to be the same for a runtime that has booted to serve a function. */
import type { FunctionVersion } from '#contracts/function.ts'
import type { RuntimeDescription } from '#contracts/runtime.ts'
import type { Interpreter } from '#data-plane/worker/runtimes/interpreter.ts'
import type { HostResources } from '#data-plane/worker/port.ts'
import type { RuntimeParts } from '#data-plane/worker/start/interpreter-hook.ts'

export interface PoolShape {
  /** Equal shapes have equal keys. */
  readonly key: string
  readonly runtime: RuntimeDescription
  readonly interpreter: Interpreter
  /** Host directory of our client. */
  readonly client: string
  /** The memory that the interpreter is told it has; only Node must know it when it boots. */
  readonly memoryMiB: number
}

/** The smallest function's; a runtime that has no function yet needs much less. */
export const BLANK_MEMORY_MIB = 128

/**
 * Booted sandboxes have an open network and no shared directories, and their runtime takes one invocation at a time; a
 * function with others gets one of its own.
 */
export const fitsPool = (version: FunctionVersion, resources: Pick<HostResources, 'networkOf'>): boolean =>
  !version.managedInstances && !version.fileSystems?.length && resources.networkOf(version) === 'internet'

/** Undefined for runtimes that are the function's own program: there is nothing that could boot before it is known. */
export function poolShape(
  version: Pick<FunctionVersion, 'memoryMiB'>,
  runtime: RuntimeDescription,
  { interpreter, client }: RuntimeParts,
): PoolShape | undefined {
  if (!interpreter || client === undefined) return undefined
  // V8 takes the limits of its heap from the command line, and from nowhere later.
  const memoryMiB = runtime.family === 'nodejs' ? version.memoryMiB : BLANK_MEMORY_MIB
  return {
    key: [runtime.identifier, memoryMiB, interpreter.executable].join(' '),
    runtime,
    interpreter,
    client,
    memoryMiB,
  }
}
