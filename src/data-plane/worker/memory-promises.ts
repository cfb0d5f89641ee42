/** How much memory of the host is promised to environments. Promises count at once, use does not matter. */
import { LambdaError, serviceFailure } from '#contracts/errors.ts'

export interface MemoryPromises {
  /**
   * Promises `memoryMiB`, or throws: a 429 when others hold it now, a ServiceException when this host never has so
   * much. The returned function gives it back (safe to call twice).
   */
  promise(memoryMiB: number): () => void
  readonly promisedMiB: number
}

export function createMemoryPromises(maxMemoryMiB: number): MemoryPromises {
  let promisedMiB = 0
  return {
    get promisedMiB() {
      return promisedMiB
    },
    promise(memoryMiB) {
      if (memoryMiB > maxMemoryMiB) {
        throw serviceFailure(
          `The function needs ${memoryMiB} MiB, and environments on this host may have ${maxMemoryMiB} MiB together`,
        )
      }
      if (promisedMiB + memoryMiB > maxMemoryMiB) {
        throw new LambdaError(
          'TooManyRequestsException',
          `Rate Exceeded. The environments of this host hold ${promisedMiB} of ${maxMemoryMiB} MiB.`,
          { status: 429, fault: 'platform', members: { Reason: 'ConcurrentInvocationLimitExceeded' } },
        )
      }
      promisedMiB += memoryMiB
      let given = false
      return () => {
        if (given) return
        given = true
        promisedMiB -= memoryMiB
      }
    },
  }
}
