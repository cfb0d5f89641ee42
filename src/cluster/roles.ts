/** Work of which the whole cluster needs one: done by the node that holds its lease, taken over when that is lost. */
import type { Roles } from '#cluster/port.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Logger } from '#observability/port.ts'
import type { Lease, Leases } from '#store/port.ts'

const KIND = 'role'
/** Leases are renewed this often, and given up this long before they end. */
const RENEWAL_MS = 1_000
const MARGIN_MS = 500

interface Held {
  lease: Lease
  readonly component: Component
}

/** `work` makes the component anew for each time that this node takes the role. */
export function createRoles(options: {
  readonly work: Readonly<Record<string, () => Component>>
  readonly leases: Leases
  readonly clock: Clock
  readonly logger: Logger
}): Roles {
  const { work, leases, clock, logger } = options
  const names = Object.keys(work)
  const held = new Map<string, Held>()
  let isStopped = false
  let looking: Promise<void> | undefined
  let cancel = () => {}

  const end = async (name: string) => {
    const mine = held.get(name)
    held.delete(name)
    await mine?.component.stop()
  }
  const lose = async (name: string) => {
    logger.warn('The lease of a role was lost', { role: name })
    await end(name)
  }
  const take = async (lease: Lease) => {
    const component = work[lease.key]?.()
    if (!component) return
    try {
      await component.start()
      held.set(lease.key, { lease, component })
    } catch (error) {
      logger.error('A role could not be taken and is tried again', { role: lease.key, error })
      await component.stop()
      await leases.release(lease)
    }
  }
  const look = async () => {
    try {
      // Before anything is asked: after a pause of this process the answer comes too late.
      for (const [name, { lease }] of held) if (clock.monotonic() >= lease.until - MARGIN_MS) await lose(name)
      const renewed = await leases.renew([...held.values()].map(({ lease }) => lease))
      for (const [name, mine] of held) {
        const lease = renewed.find(({ key, epoch }) => key === name && epoch === mine.lease.epoch)
        if (lease) mine.lease = lease
        else await lose(name)
      }
      const free = names.filter((name) => !held.has(name))
      if (free.length > 0 && !isStopped) {
        for (const lease of await leases.acquire(KIND, free.length, free)) await take(lease)
      }
    } catch (error) {
      logger.warn('The leases of roles could not be renewed', { error })
    }
    if (!isStopped) cancel = clock.after(RENEWAL_MS, () => (looking = look()))
  }
  return {
    get held() {
      return [...held.keys()]
    },
    async start() {
      await leases.define(KIND, names)
      await look()
    },
    async drain(deadlineMs) {
      await Promise.all([...held.values()].map(({ component }) => component.drain(deadlineMs)))
    },
    async stop() {
      isStopped = true
      cancel()
      await looking
      for (const [name, { lease }] of held) {
        await end(name)
        await leases.release(lease).catch(() => {})
      }
    },
  }
}
