/** Limits of one sandbox, by control group where there is one, else by watching its processes. */
import { readdirSync, readFileSync } from 'node:fs'

import type { Clock } from '#kernel/clock.ts'
import { MIB } from '#kernel/units.ts'

import type { Cgroup, CgroupHost } from './cgroup/cgroup.ts'
import type { SandboxLimits } from './port.ts'

export interface Confinement {
  readonly cgroup: Cgroup | undefined
  limitCpu(): void
  freeze(): void
  thaw(): void
  peakMemoryMiB(): number | undefined
  resetPeak(): void
  /** How often something in it was killed for memory. */
  outOfMemoryKills(): number
  /** Stops watching. */
  close(): void
}

export function createCgroupConfinement(
  host: CgroupHost,
  id: string,
  limits: SandboxLimits,
): Confinement & { readonly cgroup: Cgroup } {
  const cgroup = host.create(id, limits)
  return {
    cgroup,
    limitCpu: () => cgroup.limitCpu(limits.vcpus),
    freeze: cgroup.freeze,
    thaw: cgroup.thaw,
    peakMemoryMiB() {
      const bytes = cgroup.peakMemoryBytes()
      return bytes === undefined ? undefined : Math.min(limits.memoryMiB, Math.ceil(bytes / MIB))
    },
    resetPeak: cgroup.resetPeak,
    outOfMemoryKills: cgroup.outOfMemoryKills,
    close() {},
  }
}

const POLL_MS = 100

/**
 * Watches the memory of every process that carries `marker` in its environment, and calls `onExceeded` when together
 * they hold more than the limit. A guest can allocate past the limit between two looks.
 */
export function createPollingConfinement(options: {
  readonly marker: string
  readonly limits: SandboxLimits
  readonly clock: Clock
  readonly onExceeded: () => void
}): Confinement {
  const { marker, limits, clock } = options
  let peakBytes: number | undefined
  let kills = 0
  let closed = false
  const look = () => {
    if (closed) return
    const bytes = residentBytes(marker)
    if (bytes !== undefined) peakBytes = Math.max(peakBytes ?? 0, bytes)
    if (bytes !== undefined && bytes > limits.memoryMiB * MIB) {
      kills++
      options.onExceeded()
    }
    clock.after(POLL_MS, look)
  }
  clock.after(POLL_MS, look)
  return {
    cgroup: undefined,
    limitCpu() {},
    freeze() {},
    thaw() {},
    peakMemoryMiB: () => (peakBytes === undefined ? undefined : Math.ceil(peakBytes / MIB)),
    resetPeak() {
      peakBytes = undefined
    },
    outOfMemoryKills: () => kills,
    close() {
      closed = true
    },
  }
}

/** Proportional share, so that pages which processes share are counted once. Undefined when none is found. */
function residentBytes(marker: string): number | undefined {
  let total: number | undefined
  for (const name of listProcesses()) {
    const environment = read(`/proc/${name}/environ`)
    if (!environment?.split('\0').includes(marker)) continue
    const share = /^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${name}/smaps_rollup`) ?? '')?.[1]
    if (share !== undefined) total = (total ?? 0) + Number(share) * 1024
  }
  return total
}

function listProcesses(): readonly string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
