/** Runs work up to a number at a time; what waits is one entry for each key, so that the line is bounded by the keys. */
export interface WorkQueue {
  /** Does nothing when the key is in line already. While it runs, it may be put in line again. */
  add(key: string, run: () => Promise<void>): void
  /** Resolves when nothing runs any more; nothing new is taken from now on. */
  close(): Promise<void>
  readonly running: number
  readonly waiting: number
}

export function createWorkQueue(options: {
  readonly concurrency: number
  readonly onError: (key: string, error: unknown) => void
}): WorkQueue {
  const { concurrency, onError } = options
  const waiting = new Map<string, () => Promise<void>>()
  const running = new Map<string, Promise<void>>()
  let closed = false
  const pump = () => {
    if (closed) return
    for (const [key, run] of waiting) {
      if (running.size >= concurrency) return
      if (running.has(key)) continue
      waiting.delete(key)
      const done = run()
        .catch((error: unknown) => onError(key, error))
        .finally(() => {
          running.delete(key)
          pump()
        })
      running.set(key, done)
    }
  }
  return {
    add(key, run) {
      if (closed || waiting.has(key)) return
      waiting.set(key, run)
      pump()
    },
    async close() {
      closed = true
      waiting.clear()
      await Promise.all(running.values())
    },
    get running() {
      return running.size
    },
    get waiting() {
      return waiting.size
    },
  }
}
