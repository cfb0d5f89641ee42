/** The store without a disk: the specification of the ports in running code, and the store of tests. */
import type { Clock } from '#kernel/clock.ts'
import { guardClosed } from '#store/embedded/guard-closed.ts'
import { createEmbeddedLeases } from '#store/embedded/leases.ts'
import type { StoreLogger } from '#store/embedded/logger.ts'
import { createEmbeddedNodes } from '#store/embedded/nodes.ts'
import { createMemoryBlobs } from '#store/memory/memory-blobs.ts'
import { createMemoryLog } from '#store/memory/memory-log.ts'
import { createMemoryMeta } from '#store/memory/memory-meta.ts'
import type { Store } from '#store/port.ts'

/** Keeps everything in memory; nothing is left after `close`. */
export function createMemoryStore(options: { readonly clock: Clock; readonly logger?: StoreLogger }): Store {
  const { clock, logger } = options
  const { stop, ...meta } = createMemoryMeta({ logger })
  const { holds, ...leases } = createEmbeddedLeases({ clock, stored: [], save: async () => {} })
  let closed = false
  const guard = <Port extends object>(port: Port) => guardClosed(port, () => closed)
  return {
    meta: guard(meta),
    queueLog: guard(createMemoryLog({ holds })),
    leases: guard(leases),
    nodes: guard(createEmbeddedNodes({ clock })),
    blobs: guard(createMemoryBlobs({ clock })),
    async close() {
      closed = true
      stop()
    },
  }
}
