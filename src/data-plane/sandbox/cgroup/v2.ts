/** Control groups version 2: one tree. */
import { mkdirSync, rmdirSync } from 'node:fs'
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

/** The kernel's default is 100. */
const WEIGHTS: { readonly [P in Priority]: string } = { normal: '100', low: '12' }
const WANTED = ['memory', 'cpu', 'pids'] as const

/**
 * `base` is a cgroup whose subtree is ours. Undefined when it can't be used: not writable, or no controller can be
 * handed down.
 */
export function createCgroupsV2(base: string): CgroupHost | undefined {
  const parent = join(base, PARENT)
  if (!handDown(base) || !isUsableCgroup(parent) || !handDown(parent)) return undefined
  const given = (readText(join(parent, 'cgroup.subtree_control')) ?? '').trim().split(/\s+/)
  const controllers = new Set<Controller>(WANTED.filter((controller) => given.includes(controller)))
  if (controllers.size === 0) return undefined
  // Freezing needs no controller since Linux 5.2.
  controllers.add('freezer')
  return {
    version: 2,
    controllers,
    parents: [parent],
    freezerParents: [parent],
    create(id, limits) {
      const directory = join(parent, id)
      mkdirSync(directory, { recursive: true })
      try {
        if (controllers.has('memory')) {
          mustWrite(join(directory, 'memory.max'), String(limits.memoryMiB * MIB))
          tryWrite(join(directory, 'memory.swap.max'), '0')
        }
        if (controllers.has('pids')) mustWrite(join(directory, 'pids.max'), String(limits.processes))
        return openCgroup(directory)
      } catch (error) {
        rmdirSync(directory)
        throw error
      }
    },
  }
}

/** Lets children of `directory` use the controllers, those it has. False when not a single one is handed down. */
function handDown(directory: string): boolean {
  const control = join(directory, 'cgroup.subtree_control')
  let given = false
  // One by one: a write with an unknown controller changes nothing at all.
  for (const controller of WANTED) given = tryWrite(control, `+${controller}`) || given
  return given
}

function openCgroup(directory: string): Cgroup {
  const file = (name: string) => join(directory, name)
  const freezer = createKernelFile(file('cgroup.freeze'))
  const peakFile = createKernelFile(file('memory.peak'))
  const currentFile = createKernelFile(file('memory.current'))
  return {
    directories: [directory],
    freezers: [directory],
    limitCpu(vcpus) {
      const quota =
        vcpus === undefined ? 'max' : Math.max(MIN_CPU_QUOTA_US, Math.round(vcpus * CPU_PERIOD_US))
      tryWrite(file('cpu.max'), `${quota} ${CPU_PERIOD_US}`)
    },
    limitMemory: (memoryMiB) => mustWrite(file('memory.max'), String(memoryMiB * MIB)),
    prioritise: (priority) => void tryWrite(file('cpu.weight'), WEIGHTS[priority]),
    freeze: () => void freezer.write('1'),
    thaw: () => void freezer.write('0'),
    // Kernels before 5.19 have no peak: then it is what is used now.
    peakMemoryBytes: whenPeakGrows(
      () => number(peakFile.read()) ?? number(currentFile.read()),
      (peak) => {
        const stat = readText(file('memory.stat'))
        const cache = (field(stat, 'inactive_file') ?? 0) + (field(stat, 'active_file') ?? 0)
        return Math.max(peak - cache, field(stat, 'anon') ?? 0)
      },
    ),
    usage() {
      const cpu = field(readText(file('cpu.stat')), 'usage_usec')
      return {
        memoryBytes: field(readText(file('memory.stat')), 'anon'),
        cpuMs: cpu === undefined ? undefined : cpu / 1000,
      }
    },
    close() {
      for (const open of [freezer, peakFile, currentFile]) open.close()
    },
    outOfMemoryKills: () => field(readText(file('memory.events')), 'oom_kill') ?? 0,
  }
}
