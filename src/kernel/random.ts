import { randomFillSync, randomUUID } from 'node:crypto'

/** Randomness as a port, so that decisions which draw lots can be replayed. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** A fresh version 4 UUID, lower case. */
  uuid(): string
  /** `length` lower-case hexadecimal digits. */
  hex(length: number): string
}

/** Random bytes are drawn from the system this many at a time: one draw costs microseconds, however small it is. */
const POOL_BYTES = 4096
const pool = Buffer.alloc(POOL_BYTES)
let used = POOL_BYTES

/** Each byte of the pool is given out once and then overwritten. */
function pooledHex(length: number): string {
  const bytes = Math.ceil(length / 2)
  if (bytes > POOL_BYTES) return randomFillSync(Buffer.alloc(bytes)).toString('hex').slice(0, length)
  if (used + bytes > POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  const text = pool.toString('hex', used, used + bytes)
  pool.fill(0, used, used + bytes)
  used += bytes
  return text.length === length ? text : text.slice(0, length)
}

export const systemRandom: Random = {
  next: () => Math.random(),
  uuid: () => randomUUID(),
  hex: pooledHex,
}

/** A repeatable sequence from `seed` (mulberry32). For tests and simulations, never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const hex = (length: number) => {
    let out = ''
    while (out.length < length) out += Math.floor(next() * 16).toString(16)
    return out
  }
  return {
    next,
    hex,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
  }
}
