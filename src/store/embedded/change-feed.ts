/** The change feed of an embedded store: stored changes in pages first, then every published transaction. */
import type { StoreLogger } from '#store/embedded/logger.ts'
import type { MetaChange } from '#store/port.ts'

/** Whole transactions after a revision, in order; `upTo` is the revision that the page covers everything up to. */
export interface ChangePage {
  readonly changes: readonly MetaChange[]
  readonly upTo: number
}

interface Watcher {
  readonly onChange: (changes: readonly MetaChange[]) => void
  delivered: number
  /** False while it still reads stored changes; those published meanwhile come with a later page. */
  live: boolean
  stopped: boolean
  readonly arrived: Set<{ readonly rev: number; readonly resolve: () => void }>
}

export interface ChangeFeed {
  watch(fromRev: number, onChange: (changes: readonly MetaChange[]) => void): () => void
  /**
   * Hands a committed transaction to all watchers. Transactions must be published in the order of their revisions.
   * What it returns resolves when every watcher has been called, those that still read stored changes included.
   */
  publish(rev: number, changes: () => readonly MetaChange[]): Promise<void>
  stop(): void
}

/** `readAfter` must cover every transaction that was published before it is called. */
export function createChangeFeed(options: {
  readonly rev: number
  readonly readAfter: (rev: number) => Promise<ChangePage>
  readonly logger?: StoreLogger | undefined
}): ChangeFeed {
  const watchers = new Set<Watcher>()
  let latest = options.rev

  const deliver = (watcher: Watcher, changes: readonly MetaChange[]) => {
    if (changes.length === 0 || watcher.stopped) return
    try {
      watcher.onChange(changes)
    } catch (error) {
      // The transaction is durable already: neither its writer nor the other watchers may suffer.
      options.logger?.error('A watcher of the change feed threw', { error })
    }
  }
  const settle = (watcher: Watcher) => {
    for (const waiting of watcher.arrived) {
      if (!watcher.stopped && waiting.rev > watcher.delivered) continue
      watcher.arrived.delete(waiting)
      waiting.resolve()
    }
  }
  const stopWatcher = (watcher: Watcher) => {
    watcher.stopped = true
    watchers.delete(watcher)
    settle(watcher)
  }
  const catchUp = async (watcher: Watcher) => {
    for (;;) {
      const page = await options.readAfter(watcher.delivered)
      if (watcher.stopped) return
      deliver(watcher, page.changes)
      watcher.delivered = Math.max(watcher.delivered, page.upTo)
      if (watcher.delivered >= latest) watcher.live = true
      settle(watcher)
      if (watcher.live) return
    }
  }
  return {
    watch(fromRev, onChange) {
      const watcher: Watcher = {
        onChange,
        delivered: fromRev,
        live: false,
        stopped: false,
        arrived: new Set(),
      }
      watchers.add(watcher)
      catchUp(watcher).catch((error: unknown) => {
        if (!watcher.stopped) options.logger?.error('The change feed could not be read', { error })
        stopWatcher(watcher)
      })
      return () => stopWatcher(watcher)
    },
    async publish(rev, changes) {
      latest = rev
      if (watchers.size === 0) return
      const published = changes()
      const late: Promise<void>[] = []
      for (const watcher of watchers) {
        if (!watcher.live) {
          late.push(new Promise((resolve) => watcher.arrived.add({ rev, resolve })))
        } else if (rev > watcher.delivered) {
          watcher.delivered = rev
          deliver(watcher, published)
        }
      }
      if (late.length > 0) await Promise.all(late)
    },
    stop() {
      for (const watcher of watchers) stopWatcher(watcher)
    },
  }
}
