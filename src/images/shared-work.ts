/** Work that several ask for at the same time and that is done once. */

export interface Shared<T> {
  /**
   * Joins the work for `key`, or begins it. Rejects with the signal's reason when `signal` aborts; the work itself is
   * aborted when the last of those who wait for it has gone.
   */
  run(key: string, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T>
}

interface Job<T> {
  readonly result: Promise<T>
  readonly abort: AbortController
  waiting: number
}

export function createShared<T>(): Shared<T> {
  const jobs = new Map<string, Job<T>>()
  const begin = (
    key: string,
    before: Job<T> | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Job<T> => {
    const abort = new AbortController()
    const run = async () => {
      // One that was given up may still be cleaning up after itself.
      await before?.result.catch(() => {})
      return work(abort.signal)
    }
    const result = run().finally(() => {
      if (jobs.get(key) === job) jobs.delete(key)
    })
    // Whoever waits sees the failure; nobody may be waiting any more.
    result.catch(() => {})
    const job: Job<T> = { result, abort, waiting: 0 }
    jobs.set(key, job)
    return job
  }
  return {
    async run(key, signal, work) {
      signal?.throwIfAborted()
      const joined = jobs.get(key)
      const job = joined && !joined.abort.signal.aborted ? joined : begin(key, joined, work)
      job.waiting++
      try {
        return await untilAborted(job.result, signal)
      } finally {
        if (--job.waiting === 0) job.abort.abort(new Error('Nobody waits for this any more'))
      }
    },
  }
}

function untilAborted<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return result
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
