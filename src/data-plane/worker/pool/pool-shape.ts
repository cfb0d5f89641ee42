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
  /** For functions that are large enough to need most of the standard library: it is loaded ahead too. */
  readonly isRich: boolean
}

/** A zip of this size or more brings libraries, an AWS client for instance; a smaller one is a function's own code. */
const RICH_BYTES = 65_536

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
  version: Pick<FunctionVersion, 'memoryMiB' | 'code' | 'layers'>,
  runtime: RuntimeDescription,
  parts: RuntimeParts,
): PoolShape | undefined {
  const zipBytes = version.layers.reduce((sum, layer) => sum + layer.codeSizeBytes, version.code.sizeBytes)
  return shapeOf(runtime, parts, { memoryMiB: version.memoryMiB, isRich: zipBytes >= RICH_BYTES })
}

/** The same for what is remembered of a shape. */
export function shapeOf(
  runtime: RuntimeDescription,
  { interpreter, client }: RuntimeParts,
  wanted: Pick<PoolShape, 'memoryMiB' | 'isRich'>,
): PoolShape | undefined {
  if (!interpreter || client === undefined) return undefined
  // V8 takes the limits of its heap from the command line, and from nowhere later.
  const memoryMiB = runtime.family === 'nodejs' ? wanted.memoryMiB : BLANK_MEMORY_MIB
  const { isRich } = wanted
  return {
    key: [runtime.identifier, memoryMiB, isRich, interpreter.executable].join(' '),
    runtime,
    interpreter,
    client,
    memoryMiB,
    isRich,
  }
}
