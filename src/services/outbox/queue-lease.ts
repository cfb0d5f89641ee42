/** Owns one queue of the log: takes its lease, keeps it, and takes it again when it was lost. */
import type { Clock } from '#kernel/clock.ts'
import type { Logger } from '#observability/port.ts'
import { type Lease, type Leases, QUEUE_LEASE_KIND } from '#store/port.ts'

/** Leases are renewed after a quarter of their time, within these bounds, and given up this long before they end. */
const MIN_RENEWAL_MS = 250
const MAX_RENEWAL_MS = 2_500
const LEASE_MARGIN_MS = 500

export interface QueueLease {
  /** Resolves when the lease was asked for once, whether or not it was free. */
  start(): Promise<void>
  /** Undefined while the lease can not be relied on. */
  epoch(): number | undefined
  stop(): Promise<void>
}

export function createQueueLease(options: {
  readonly queue: number
  readonly leases: Leases
  readonly clock: Clock
  readonly logger: Logger
  /** Awaited before anything else happens; a rejection gives the lease back. */
  readonly onTaken: () => Promise<void>
  readonly onLost: () => void
}): QueueLease {
  const { leases, clock, logger } = options
  const key = String(options.queue)
  let lease: Lease | undefined
  let isStopped = false
  let cancel = () => {}

  const lose = () => {
    if (!lease) return
    lease = undefined
    logger.warn('The ownership of a queue was lost', { queue: options.queue })
    options.onLost()
  }
  const take = async () => {
    lease = (await leases.acquire(QUEUE_LEASE_KIND, 1, [key]))[0]
    if (!lease) return
    try {
      await options.onTaken()
    } catch (error) {
      logger.error('A queue could not be opened and is tried again', { queue: options.queue, error })
      const given = lease
      lease = undefined
      await leases.release(given)
    }
  }
  const look = async () => {
    try {
      if (lease) {
        const [renewed] = await leases.renew([lease])
        if (renewed && renewed.epoch === lease.epoch) lease = renewed
        else lose()
      }
      if (!lease && !isStopped) await take()
    } catch (error) {
      logger.warn('The lease of a queue could not be renewed', { queue: options.queue, error })
    }
    if (isStopped) return
    const quarterMs = ((lease?.until ?? 0) - clock.monotonic()) / 4
    cancel = clock.after(Math.min(MAX_RENEWAL_MS, Math.max(MIN_RENEWAL_MS, quarterMs)), () => void look())
  }
  return {
    async start() {
      await leases.define(QUEUE_LEASE_KIND, [key])
      await look()
    },
    epoch: () => (lease && clock.monotonic() < lease.until - LEASE_MARGIN_MS ? lease.epoch : undefined),
    async stop() {
      isStopped = true
      cancel()
      if (lease) await leases.release(lease)
      lease = undefined
    },
  }
}
