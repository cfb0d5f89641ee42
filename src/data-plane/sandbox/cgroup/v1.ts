/** Control groups version 1: one hierarchy per controller. */
import { existsSync, mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

import { MIB } from '#kernel/units.ts'

import {
  CPU_PERIOD_US,
  field,
  isUsableCgroup,
  MIN_CPU_QUOTA_US,
  mustWrite,
  number,
  PARENT,
  readText,
  tryWrite,
  whenPeakGrows,
  type Cgroup,
  type CgroupHost,
  type Controller,
  type Priority,
} from './cgroup.ts'
import { createKernelFile } from './kernel-file.ts'

const WITH_SWAP = 'memory.memsw.limit_in_bytes'
/** The kernel's default is 1024. */
const SHARES: { readonly [P in Priority]: string } = { normal: '1024', low: '128' }

/** `mounts` says where each controller is mounted. Undefined when none of them can be used. */
export function createCgroupsV1(mounts: ReadonlyMap<string, string>): CgroupHost | undefined {
  const parents = new Map<Controller, string>()
  for (const controller of ['memory', 'cpu', 'pids', 'freezer'] as const) {
    const mount = mounts.get(controller)
    if (mount === undefined) continue
    const parent = join(mount, PARENT)
    if (!isUsableCgroup(parent)) continue
    parents.set(controller, parent)
    // Without it a child's use is not counted against its parent; kernels since 5.11 always do it.
    if (controller === 'memory') tryWrite(join(parent, 'memory.use_hierarchy'), '1')
  }
  if (parents.size === 0) return undefined
  const freezer = parents.get('freezer')
  return {
    version: 1,
    controllers: new Set(parents.keys()),
    parents: [...new Set(parents.values())],
    freezerParents: freezer === undefined ? [] : [freezer],
    create(id, limits) {
      const made = new Map<Controller, string>()
      try {
        // Controllers may share one hierarchy (cpu,cpuacct); the set of directories is what counts.
        for (const [controller, parent] of parents) {
          const directory = join(parent, id)
          mkdirSync(directory, { recursive: true })
          made.set(controller, directory)
        }
        const memory = made.get('memory')
        if (memory !== undefined) {
          const bytes = String(limits.memoryMiB * MIB)
          mustWrite(join(memory, 'memory.limit_in_bytes'), bytes)
          // Memory and swap together; the file is absent where the kernel does not count swap.
          if (existsSync(join(memory, WITH_SWAP))) mustWrite(join(memory, WITH_SWAP), bytes)
          tryWrite(join(memory, 'memory.swappiness'), '0')
        }
        const pids = made.get('pids')
        if (pids !== undefined) mustWrite(join(pids, 'pids.max'), String(limits.processes))
        return openCgroup(made)
      } catch (error) {
        for (const directory of new Set(made.values())) rmdirSync(directory)
        throw error
      }
    },
  }
}

function openCgroup(directories: ReadonlyMap<Controller, string>): Cgroup {
  const file = (controller: Controller, name: string) =>
    join(directories.get(controller) ?? '/nonexistent', name)
  const freezer = directories.get('freezer')
  const freezerState = createKernelFile(file('freezer', 'freezer.state'))
  const peakFile = createKernelFile(file('memory', 'memory.max_usage_in_bytes'))
  return {
    directories: [...new Set(directories.values())],
    freezers: freezer === undefined ? [] : [freezer],
    limitCpu(vcpus) {
      const quota = vcpus === undefined ? -1 : Math.max(MIN_CPU_QUOTA_US, Math.round(vcpus * CPU_PERIOD_US))
      tryWrite(file('cpu', 'cpu.cfs_period_us'), String(CPU_PERIOD_US))
      tryWrite(file('cpu', 'cpu.cfs_quota_us'), String(quota))
    },
    limitMemory(memoryMiB) {
      const bytes = String(memoryMiB * MIB)
      // The larger one first: the kernel refuses a limit of memory above that of memory and swap.
      tryWrite(file('memory', WITH_SWAP), bytes)
      mustWrite(file('memory', 'memory.limit_in_bytes'), bytes)
    },
    prioritise: (priority) => void tryWrite(file('cpu', 'cpu.shares'), SHARES[priority]),
    freeze: () => void freezerState.write('FROZEN'),
    thaw: () => void freezerState.write('THAWED'),
    peakMemoryBytes: whenPeakGrows(
      () => number(peakFile.read()),
      (peak) => {
        const stat = readText(file('memory', 'memory.stat'))
        const cache = (field(stat, 'total_inactive_file') ?? 0) + (field(stat, 'total_active_file') ?? 0)
        return Math.max(peak - cache, field(stat, 'total_rss') ?? 0)
      },
    ),
    usage() {
      const used = field(readText(file('memory', 'memory.stat')), 'total_rss')
      // There where cpu and cpuacct are one hierarchy, as they are on most hosts.
      const cpu = number(readText(file('cpu', 'cpuacct.usage')))
      return { memoryBytes: used, cpuMs: cpu === undefined ? undefined : cpu / 1e6 }
    },
    close() {
      freezerState.close()
      peakFile.close()
    },
    outOfMemoryKills: () => field(readText(file('memory', 'memory.oom_control')), 'oom_kill') ?? 0,
  }
}
