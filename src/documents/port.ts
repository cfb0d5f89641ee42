/** Documents of the store in memory, for whoever must not wait for a disk. */
import type { Json } from '#kernel/json.ts'

/** A document as it is, or `null` when it is known that there is none. The same object until it changes; never write to it. */
export type Known = Json | null

export interface DocumentCache {
  /** Follows the store from now on. Before it, and after `stop`, nothing is remembered and every read goes to the store. */
  start(): Promise<void>
  stop(): void
  /** What is known of the key, without a read; undefined: nothing. Counts as a use. */
  find(key: string): Known | undefined
  /** At once when it is known; else from the store, where readers of the same key share one read. */
  read(key: string): Known | Promise<Known>
  /**
   * Calls `listener` with each key that was read before and has changed since, or is not followed any more because others
   * were used more lately. What was made of its document must not be used any longer. Returns a function that ends it.
   */
  onForget(listener: (key: string) => void): () => void
  /** Documents in memory, and keys without one. */
  readonly size: number
}
