/** Who lives, by beats in the store: enough to share out work. Whether somebody may do it is for leases to say. */
import type { Membership } from '#cluster/port.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Logger } from '#observability/port.ts'
import type { Nodes } from '#store/port.ts'

const BEAT_MS = 1_000
/** As long as a lease lives. */
const DEAD_AFTER_MS = 5_000

export function createMembership(options: {
  readonly nodeId: string
  /** Where others may find it, for people who look. */
  readonly address: string
  readonly nodes: Nodes
  readonly clock: Clock
  readonly logger: Logger
}): Membership {
  const { nodeId, address, nodes, clock, logger } = options
  const listeners = new Set<() => void>()
  let alive: ReadonlySet<string> = new Set([nodeId])
  /** Monotonic milliseconds. */
  let lastBeatAt = Number.NEGATIVE_INFINITY
  let judgeAfter = Number.NEGATIVE_INFINITY
  let isStopped = false
  let beating: Promise<void> | undefined
  let cancel = () => {}

  const beat = async () => {
    try {
      await nodes.beat({ nodeId, address, info: null })
      const now = clock.monotonic()
      // The store was away, perhaps for all: those who live need time to say so.
      if (now - lastBeatAt > 2 * BEAT_MS) judgeAfter = now + DEAD_AFTER_MS
      lastBeatAt = now
      const seen = new Set([nodeId, ...(await nodes.list(DEAD_AFTER_MS)).map((node) => node.nodeId)])
      if (now < judgeAfter) for (const id of alive) seen.add(id)
      const came = [...seen].filter((id) => !alive.has(id))
      const gone = [...alive].filter((id) => !seen.has(id))
      alive = seen
      if (came.length > 0) logger.info('Nodes have joined', { nodes: came, now: seen.size })
      if (gone.length > 0) {
        logger.warn('Nodes have gone', { nodes: gone, now: seen.size })
        for (const listener of listeners) listener()
      }
    } catch {
      // Without the store nobody can be said to have gone, and nobody could take over.
    }
  }
  const beatOn = () => {
    if (isStopped) return
    cancel = clock.after(BEAT_MS, () => {
      beating = beat().then(beatOn)
    })
  }
  return {
    nodeId,
    get size() {
      return alive.size
    },
    isAlive: (id) => alive.has(id),
    onGone(run) {
      listeners.add(run)
    },
    async start() {
      await beat()
      beatOn()
    },
    async drain() {},
    async stop() {
      isStopped = true
      cancel()
      await beating
      // The others need not wait for its silence.
      await nodes.leave(nodeId).catch(() => {})
    },
  }
}
