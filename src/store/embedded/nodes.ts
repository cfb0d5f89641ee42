/** Membership of a store that only this process can open: nothing of it needs to outlive the process. */
import type { Clock } from '#kernel/clock.ts'
import type { NodeInfo, Nodes } from '#store/port.ts'

const MAX_NODES = 1000

export function createEmbeddedNodes({ clock }: { readonly clock: Clock }): Nodes {
  /** In the order of the last beat, oldest first. */
  const nodes = new Map<string, { readonly info: string; readonly at: number }>()
  return {
    async beat(self) {
      nodes.delete(self.nodeId)
      nodes.set(self.nodeId, { info: JSON.stringify(self), at: clock.monotonic() })
      const oldest = nodes.keys().next()
      if (nodes.size > MAX_NODES && !oldest.done) nodes.delete(oldest.value)
    },
    async leave(nodeId) {
      nodes.delete(nodeId)
    },
    async list(withinMs) {
      const since = clock.monotonic() - withinMs
      return [...nodes.values()]
        .filter((node) => node.at >= since)
        .map((node) => JSON.parse(node.info) as NodeInfo)
    },
  }
}
