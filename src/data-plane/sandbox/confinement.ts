/** Limits of one sandbox, by control group where there is one, else by watching its processes. */
import type { Clock } from '#kernel/clock.ts'
import { KIB, MIB } from '#kernel/units.ts'

import { readText, type Cgroup, type CgroupHost, type Priority } from './cgroup/cgroup.ts'
import type { SandboxLimits } from './port.ts'

export interface Confinement {
  readonly cgroup: Cgroup | undefined
  limitCpu(): void
  prioritise(priority: Priority): void
  /** Other limits from now on; only memory takes effect at once. */
  relimit(limits: SandboxLimits): void
  /** For what is about to die: a thousand processes of a small function need seconds of their share only to exit. */
  unlimitCpu(): void
  freeze(): void
  thaw(): void
  peakMemoryMiB(): number | undefined
  usage(): { readonly memoryMiB: number | undefined; readonly cpuMs: number | undefined }
  /** How often something in it was killed for memory. */
  outOfMemoryKills(): number
  /** Names the process to watch with all its children, where there is no cgroup. */
  watch(pid: number): void
  /** Stops watching. */
  close(): void
}

/**
 * An environment in a stream of invocations is used again within a millisecond; stopping and waking all its processes
 * in between costs more than the invocation. AWS's own freeze comes some milliseconds after the answer as well
 * (unverified).
 */
const FREEZE_DELAY_MS = 20

export function createCgroupConfinement(
  host: CgroupHost,
  id: string,
  initialLimits: SandboxLimits,
  clock: Clock,
): Confinement & { readonly cgroup: Cgroup } {
  let limits = initialLimits
  const cgroup = host.create(id, limits)
  let frozen = false
  let cancelFreeze: (() => void) | undefined
  return {
    cgroup,
    limitCpu: () => cgroup.limitCpu(limits.vcpus),
    prioritise: cgroup.prioritise,
    relimit(next) {
      if (next.memoryMiB !== limits.memoryMiB && host.controllers.has('memory'))
        cgroup.limitMemory(next.memoryMiB)
      limits = next
    },
    unlimitCpu: () => cgroup.limitCpu(undefined),
    freeze() {
      cancelFreeze ??= clock.after(FREEZE_DELAY_MS, () => {
        cancelFreeze = undefined
        frozen = true
        cgroup.freeze()
      })
    },
    thaw() {
      cancelFreeze?.()
      cancelFreeze = undefined
      if (!frozen) return
      frozen = false
      cgroup.thaw()
    },
    peakMemoryMiB() {
      const bytes = cgroup.peakMemoryBytes()
      return bytes === undefined ? undefined : Math.min(limits.memoryMiB, Math.ceil(bytes / MIB))
    },
    usage() {
      const { memoryBytes, cpuMs } = cgroup.usage()
      return { memoryMiB: memoryBytes === undefined ? undefined : Math.ceil(memoryBytes / MIB), cpuMs }
    },
    outOfMemoryKills: cgroup.outOfMemoryKills,
    watch() {},
    close() {
      cancelFreeze?.()
      // Also when it was not us who froze it: a frozen process can't be killed.
      cgroup.thaw()
      cgroup.close()
    },
  }
}

const POLL_MS = 100

/**
 * Watches the memory of a process and all below it, and calls `onExceeded` when together they hold more than the
 * limit. A guest can allocate past the limit between two looks, and a process that leaves the family is not seen.
 */
export function createPollingConfinement(options: {
  readonly limits: SandboxLimits
  readonly clock: Clock
  readonly onExceeded: () => void
}): Confinement {
  const { clock } = options
  let { limits } = options
  let root: number | undefined
  let peakBytes: number | undefined
  let kills = 0
  let closed = false
  const measure = () => {
    const bytes = root === undefined ? undefined : residentBytes(root)
    if (bytes !== undefined) peakBytes = Math.max(peakBytes ?? 0, bytes)
    return bytes
  }
  const look = () => {
    if (closed) return
    const bytes = measure()
    if (bytes !== undefined && bytes > limits.memoryMiB * MIB) {
      kills++
      root = undefined
      options.onExceeded()
    }
    clock.after(POLL_MS, look)
  }
  clock.after(POLL_MS, look)
  return {
    cgroup: undefined,
    limitCpu() {},
    unlimitCpu() {},
    prioritise() {},
    relimit(next) {
      limits = next
    },
    freeze() {},
    thaw() {},
    peakMemoryMiB() {
      // A first invocation may end before anybody has looked.
      if (peakBytes === undefined) measure()
      return peakBytes === undefined ? undefined : Math.ceil(peakBytes / MIB)
    },
    usage() {
      const bytes = measure()
      return { memoryMiB: bytes === undefined ? undefined : Math.ceil(bytes / MIB), cpuMs: undefined }
    },
    outOfMemoryKills: () => kills,
    watch(pid) {
      root = pid
    },
    close() {
      closed = true
    },
  }
}

/** A family larger than this is not walked to its end. */
const MAX_FAMILY = 4096

/** Proportional share, so that pages which processes share are counted once. Undefined when nothing could be read. */
function residentBytes(root: number): number | undefined {
  let total: number | undefined
  const family = [root]
  for (const pid of family) {
    const share = /^Pss:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/smaps_rollup`) ?? '')?.[1]
    if (share !== undefined) total = (total ?? 0) + Number(share) * KIB
    const children = readText(`/proc/${pid}/task/${pid}/children`)?.trim() ?? ''
    if (children !== '' && family.length < MAX_FAMILY) family.push(...children.split(' ').map(Number))
  }
  return total
}
