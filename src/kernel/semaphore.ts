/** Bounds how many holders there are at once; the rest wait in order, up to `maxWaiting`. */
export interface Semaphore {
  /**
   * Resolves with a function that gives the place back (safe to call twice).
   * Rejects at once with `SemaphoreFull` when `maxWaiting` are waiting, and with the signal's reason on abort.
   */
  acquire(signal?: AbortSignal): Promise<() => void>
  readonly held: number
  readonly waiting: number
}

export class SemaphoreFull extends Error {
  override name = 'SemaphoreFull'
}

export function createSemaphore(options: {
  readonly places: number
  readonly maxWaiting?: number
}): Semaphore {
  const { places, maxWaiting = Number.POSITIVE_INFINITY } = options
  if (!(places >= 1)) throw new RangeError(`A semaphore needs at least one place, not ${places}`)
  let held = 0
  const queue = new Set<() => void>()
  const releaseOnce = () => {
    let released = false
    return () => {
      if (released) return
      released = true
      const next = queue.values().next().value
      // The place passes straight to the next in line, so that a newcomer cannot overtake it.
      if (next) {
        queue.delete(next)
        next()
      } else held--
    }
  }
  return {
    acquire(signal) {
      if (signal?.aborted) return Promise.reject(signal.reason)
      if (held < places) {
        held++
        return Promise.resolve(releaseOnce())
      }
      if (queue.size >= maxWaiting) {
        return Promise.reject(new SemaphoreFull(`${maxWaiting} callers are waiting already`))
      }
      return new Promise((resolve, reject) => {
        const grant = () => {
          signal?.removeEventListener('abort', onAbort)
          resolve(releaseOnce())
        }
        const onAbort = () => {
          queue.delete(grant)
          reject(signal?.reason)
        }
        queue.add(grant)
        signal?.addEventListener('abort', onAbort, { once: true })
      })
    },
    get held() {
      return held
    },
    get waiting() {
      return queue.size
    },
  }
}
