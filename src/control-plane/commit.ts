/** Read, decide, write on condition; once more from the start when somebody else was faster. */
import { resourceConflict, throttled } from '#contracts/errors.ts'
import { createSemaphore, SemaphoreFull, type Semaphore } from '#kernel/semaphore.ts'
import type { Meta, MetaWrite } from '#store/port.ts'

import { indexWrites } from './indexes.ts'

export interface Decision<Result> {
  /** Each conditional on what the decision was read from. Empty: nothing is to be changed. */
  readonly writes: readonly MetaWrite[]
  readonly result: Result
}

export interface Committer {
  /**
   * Runs `decide` until its writes hold. Callers of one `lock` take turns in this process, which keeps them from
   * conflicting; other processes are kept apart by the conditions alone. `decide` must have no effects of its own.
   * Throws what `decide` throws, 409 after too many conflicts and 429 when too many wait for the lock.
   */
  run<Result>(lock: string, decide: () => Promise<Decision<Result>>): Promise<Result>
}

const MAX_ATTEMPTS = 24
const MAX_WAITING = 2000

export function createCommitter(meta: Meta): Committer {
  const locks = new Map<string, Semaphore>()

  const hold = async (lock: string): Promise<() => void> => {
    let semaphore = locks.get(lock)
    if (!semaphore) {
      semaphore = createSemaphore({ places: 1, maxWaiting: MAX_WAITING })
      locks.set(lock, semaphore)
    }
    const own = semaphore
    try {
      const release = await own.acquire()
      return () => {
        release()
        if (own.held === 0) locks.delete(lock)
      }
    } catch (error) {
      if (error instanceof SemaphoreFull) throw throttled('CallerRateLimitExceeded')
      throw error
    }
  }

  return {
    async run(lock, decide) {
      const release = await hold(lock)
      try {
        for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
          const { writes, result } = await decide()
          if (writes.length === 0) return result
          if ((await meta.txn([...writes, ...indexWrites(writes)])) !== 'conflict') return result
        }
      } finally {
        release()
      }
      throw resourceConflict('The function could not be updated due to a concurrent update operation.')
    },
  }
}
