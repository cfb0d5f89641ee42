import type { FunctionVersion } from '#contracts/function.ts'
import { parseTraceHeader } from '#contracts/trace-header.ts'

/** What the platform's lines say of a traced invocation. */
export interface InvocationTrace {
  readonly traceId: string
  /** The function's own segment. */
  readonly segmentId: string
  /** The header, as the function has it. */
  readonly header: string
}

/** Of a function with active tracing, when the request is sampled; undefined: nothing is said. */
export function invocationTrace(
  { tracingMode }: Pick<FunctionVersion, 'tracingMode'>,
  header: string | undefined,
): InvocationTrace | undefined {
  if (tracingMode !== 'Active' || header === undefined) return undefined
  const trace = parseTraceHeader(header)
  if (!trace?.sampled || trace.parent === undefined) return undefined
  return { traceId: trace.root, segmentId: trace.parent, header }
}
