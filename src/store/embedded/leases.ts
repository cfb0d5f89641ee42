/** Leases of a store that only this process can open: the epochs are stored, who holds what is in memory. */
import type { Clock } from '#kernel/clock.ts'
import { type Lease, type Leases, QUEUE_LEASE_KIND } from '#store/port.ts'

const LEASE_TTL_MS = 10_000

export interface LeaseRow {
  readonly kind: string
  readonly key: string
  readonly epoch: number
}

interface Entry {
  readonly kind: string
  readonly key: string
  epoch: number
  /** Monotonic milliseconds; undefined while nobody holds it. */
  until: number | undefined
  /** Being taken: its new epoch is on the way to the disk. */
  taking: boolean
}

export interface EmbeddedLeases extends Leases {
  /** True while the queue's lease is held with this epoch. */
  holds(queue: number, epoch: number): boolean
}

/** `save` stores rows (inserting or replacing) and resolves when they are durable. */
export function createEmbeddedLeases(options: {
  readonly clock: Clock
  readonly stored: readonly LeaseRow[]
  readonly save: (rows: readonly LeaseRow[]) => Promise<void>
}): EmbeddedLeases {
  const { clock, save } = options
  const kinds = new Map<string, Map<string, Entry>>()
  const entryOf = (kind: string, key: string) => kinds.get(kind)?.get(key)
  const add = (row: LeaseRow) => {
    let entries = kinds.get(row.kind)
    if (!entries) kinds.set(row.kind, (entries = new Map()))
    entries.set(row.key, { ...row, until: undefined, taking: false })
  }
  const isHeld = (entry: Entry) => entry.until !== undefined && entry.until > clock.monotonic()
  for (const row of options.stored) add(row)

  return {
    async define(kind, keys) {
      const fresh = [...new Set(keys)]
        .filter((key) => !entryOf(kind, key))
        .map((key) => ({ kind, key, epoch: 0 }))
      if (fresh.length === 0) return
      await save(fresh)
      for (const row of fresh) if (!entryOf(kind, row.key)) add(row)
    },
    async acquire(kind, max, among) {
      const ofKind = kinds.get(kind)
      const wanted = among?.flatMap((key) => ofKind?.get(key) ?? []) ?? [...(ofKind?.values() ?? [])]
      const entries = [...new Set(wanted)]
        .filter((entry) => !entry.taking && !isHeld(entry))
        .slice(0, Math.max(0, max))
      if (entries.length === 0) return []
      for (const entry of entries) entry.taking = true
      // From the start of the request, so that a slow disk shortens the lease instead of lengthening it.
      const until = clock.monotonic() + LEASE_TTL_MS
      try {
        await save(entries.map(({ key, epoch }) => ({ kind, key, epoch: epoch + 1 })))
        for (const entry of entries) {
          entry.epoch++
          entry.until = until
        }
        return entries.map(({ key, epoch }) => ({ kind, key, epoch, until }))
      } finally {
        for (const entry of entries) entry.taking = false
      }
    },
    async renew(held) {
      const until = clock.monotonic() + LEASE_TTL_MS
      return held.flatMap((lease): Lease[] => {
        const entry = entryOf(lease.kind, lease.key)
        if (!entry || entry.taking || entry.epoch !== lease.epoch || !isHeld(entry)) return []
        entry.until = until
        return [{ ...lease, until }]
      })
    },
    async release(lease) {
      const entry = entryOf(lease.kind, lease.key)
      if (entry?.epoch === lease.epoch) entry.until = undefined
    },
    holds(queue, epoch) {
      const entry = entryOf(QUEUE_LEASE_KIND, String(queue))
      return entry !== undefined && !entry.taking && entry.epoch === epoch && isHeld(entry)
    },
  }
}
