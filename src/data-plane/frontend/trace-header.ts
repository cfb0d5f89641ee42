import type { FunctionVersion } from '#contracts/function.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'

/**
 * The tracing header of an invocation whose caller sent none: `Root=1-<seconds>-<24 digits>;Parent=...;Sampled=...`.
 * Lambda samples a share of requests when tracing is active; here all of them are, and none otherwise.
 */
export function newTraceHeader(
  version: Pick<FunctionVersion, 'tracingMode'>,
  clock: Pick<Clock, 'now'>,
  random: Pick<Random, 'hex'>,
): string {
  const digits = random.hex(40)
  const seconds = Math.floor(clock.now() / 1000)
    .toString(16)
    .padStart(8, '0')
  const sampled = version.tracingMode === 'Active' ? 1 : 0
  return `Root=1-${seconds}-${digits.slice(0, 24)};Parent=${digits.slice(24)};Sampled=${sampled}`
}
