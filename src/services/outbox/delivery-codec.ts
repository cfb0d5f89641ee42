/** A delivery as it lies in the queue log: a small head that changes with every attempt, and the payload that never does. */
import type { Json } from '#kernel/json.ts'

export interface Envelope {
  readonly lane: string
  readonly isOrdered: boolean
  readonly about: string | undefined
  readonly acceptedAt: number
  readonly attempts: number
  readonly head: Json
}

interface Stored extends Omit<Envelope, 'about' | 'isOrdered'> {
  readonly v: 1
  readonly isOrdered?: true
  readonly about?: string
}

export function encodeEnvelope({ lane, isOrdered, about, acceptedAt, attempts, head }: Envelope): string {
  const stored: Stored = {
    v: 1,
    lane,
    ...(isOrdered && { isOrdered }),
    ...(about !== undefined && { about }),
    acceptedAt,
    attempts,
    head,
  }
  return JSON.stringify(stored)
}

/** Throws when it is of another version or none at all. */
export function decodeEnvelope(text: string): Envelope {
  const { v, lane, isOrdered = false, about, acceptedAt, attempts, head } = JSON.parse(text) as Stored
  if (v !== 1) throw new Error(`A delivery of version ${String(v)} cannot be read`)
  return { lane, isOrdered, about, acceptedAt, attempts, head }
}
