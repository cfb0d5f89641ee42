/** Which cell an account lives in: as it was placed, else by rendezvous hash, so that a new cell moves few accounts. Pure. */
import type { CellHome, CellMap } from '#data-plane/cells/port.ts'

const MAX_CACHED = 10_000

/** FNV-1a over UTF-16 units, then the finaliser of MurmurHash3. */
function weight(text: string): number {
  let h = 0x811c9dc5
  for (let at = 0; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

export function createCellMap(
  cells: readonly string[],
  /** Accounts that were placed by hand, such as those that were moved. */
  placed: ReadonlyMap<string, CellHome> = new Map(),
): CellMap {
  const cached = new Map<string, CellHome>()
  const hashed = (account: string): CellHome => {
    const ranked = cells
      .map((cell) => ({ cell, weight: weight(`${cell}/${account}`) }))
      .toSorted((a, b) => b.weight - a.weight || (a.cell < b.cell ? -1 : 1))
    const [home, alternate] = ranked
    if (!home) throw new RangeError('There is no cell')
    return { home: home.cell, alternate: alternate?.cell }
  }
  return {
    homeOf(account) {
      const known = placed.get(account) ?? cached.get(account)
      if (known) return known
      if (cached.size >= MAX_CACHED) cached.clear()
      const home = hashed(account)
      cached.set(account, home)
      return home
    },
  }
}
