/** Sandboxes made ahead for functions with a snapshot: nothing runs in them, and continuing a process is all that is left. */
import type { Sandbox } from '#data-plane/sandbox/port.ts'
import type { Logger } from '#observability/port.ts'

export interface SpareSandbox {
  readonly sandbox: Sandbox
  /** Undoes everything, the sandbox included. Never rejects. */
  destroy(): Promise<void>
}

export interface SpareSandboxes {
  /** The caller owns what it gets. */
  take(owner: string): SpareSandbox | undefined
  /** Has one ready for the next start of this snapshot. Resolves when it is, or when there will be none. */
  keep(owner: string, make: () => Promise<SpareSandbox>): Promise<void>
  stop(): Promise<void>
}

/** Each is a shell, a network and a few mounts. Those used longest ago make room. */
const MAX_SPARES = 8

export function createSpareSandboxes({ logger }: { readonly logger: Logger }): SpareSandboxes {
  const spares = new Map<string, SpareSandbox>()
  const making = new Set<string>()
  let last: Promise<void> = Promise.resolve()
  let stopped = false

  const makeOne = async (owner: string, make: () => Promise<SpareSandbox>) => {
    try {
      if (stopped) return
      const spare = await make()
      if (stopped) return await spare.destroy()
      spares.set(owner, spare)
      for (const [oldest, { destroy }] of spares) {
        if (spares.size <= MAX_SPARES) break
        spares.delete(oldest)
        await destroy()
      }
    } catch (error) {
      logger.warn('A sandbox could not be made ahead', { error: String(error) })
    } finally {
      making.delete(owner)
    }
  }

  return {
    take(owner) {
      const spare = spares.get(owner)
      spares.delete(owner)
      return spare
    },
    async keep(owner, make) {
      const known = spares.get(owner)
      if (known) {
        spares.delete(owner)
        spares.set(owner, known)
      }
      if (stopped || known || making.has(owner) || making.size >= MAX_SPARES) return
      making.add(owner)
      last = last.then(() => makeOne(owner, make))
      await last
    },
    async stop() {
      stopped = true
      await Promise.all([last, ...[...spares.values()].map(({ destroy }) => destroy())])
      spares.clear()
    },
  }
}
