/** Detecting loops of functions that invoke each other. Pure. */
import { functionArn, type FunctionId } from '#contracts/arn.ts'
import { LambdaError } from '#contracts/errors.ts'
import type { Lineage } from '#contracts/trace-header.ts'

/** A function that has run this often in one chain of requests is not run again (developer guide: "approximately 16"). */
const MAX_LOOPS = 16
/** What the header has room for, as AWS writes it. */
const MOST_REQUESTS = 32_767
const MOST_LOOPS = 255

/** 8 hexadecimal digits that stand for a function. Not a cryptographic digest: whoever forges it only stops itself. */
export function lineageMarker(id: FunctionId): string {
  const text = functionArn(id)
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}

const isPowerOfTwo = (number: number) => (number & (number - 1)) === 0

/**
 * The chain with one request more, to the function of `marker`. One function is watched; as long as it has not come
 * again, the watch moves on at every power of two, so that it gets into any loop, however the chain came there (Brent's
 * way of finding cycles).
 */
export function nextLineage(before: Lineage | undefined, marker: string): Lineage {
  if (!before) return { requests: 1, marker, loops: 0 }
  const requests = Math.min(before.requests + 1, MOST_REQUESTS)
  if (before.marker === marker) return { requests, marker, loops: Math.min(before.loops + 1, MOST_LOOPS) }
  const moves = before.loops === 0 && isPowerOfTwo(requests)
  return { requests, marker: moves ? marker : before.marker, loops: before.loops }
}

export const isLoop = ({ loops }: Lineage) => loops >= MAX_LOOPS

/** AWS's name and status; the text follows the API reference's description of the error, unverified. */
export const recursionStopped = () =>
  new LambdaError(
    'RecursiveInvocationException',
    "Lambda has detected your function being invoked in a recursive loop with other AWS resources and stopped your function's invocation.",
    { status: 400 },
  )
