/** Control groups, written directly: a write costs 10 microseconds where a runtime's update command costs 7 ms. */
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { SandboxLimits } from '../port.ts'

/** Name of the parent under which every sandbox's cgroup stands. */
export const PARENT = 'lambent'
/** Shorter periods hit the kernel's smallest quota (1 ms), longer ones let a small function burst over its share. */
export const CPU_PERIOD_US = 20_000
/** The kernel refuses a smaller quota (sched/core.c, min_cfs_quota_period). */
export const MIN_CPU_QUOTA_US = 1000

/** `low`: an eighth of what another sandbox gets. */
export type Priority = 'normal' | 'low'

export type Controller = 'memory' | 'cpu' | 'pids' | 'freezer'

/** The cgroup of one sandbox. Every method tolerates that the cgroup is gone. */
export interface Cgroup {
  /** Every directory that belongs to it: one for version 2, one per controller for version 1. */
  readonly directories: readonly string[]
  /** Those that freeze. */
  readonly freezers: readonly string[]
  /** Undefined: no limit. */
  limitCpu(vcpus: number | undefined): void
  /** Replaces the memory limit by a higher or equal one. */
  limitMemory(memoryMiB: number): void
  /** What it gets of the CPU when others want it too. */
  prioritise(priority: Priority): void
  freeze(): void
  thaw(): void
  /** Highest working set so far, in bytes; without the page cache, which the kernel takes back. */
  peakMemoryBytes(): number | undefined
  /** What it uses now, without the page cache; undefined what can't be read. */
  usage(): { readonly memoryBytes: number | undefined; readonly cpuMs: number | undefined }
  /** How many processes the kernel has killed in it for memory, ever. */
  outOfMemoryKills(): number
  /** Closes the files that are kept open. The cgroup itself stays. */
  close(): void
}

/**
 * Reads what is dear only when what is cheap says that something has changed: the kernel sums up statistics of every
 * core for each look at them, and an environment at work is looked at after every invocation.
 */
export function whenPeakGrows(
  cheap: () => number | undefined,
  dear: (peak: number) => number,
): () => number | undefined {
  let seen: number | undefined
  let answer: number | undefined
  return () => {
    const peak = cheap()
    if (peak === undefined) return answer
    if (peak !== seen) answer = Math.max(answer ?? 0, dear(peak))
    seen = peak
    return answer
  }
}

/** What this machine offers. */
export interface CgroupHost {
  readonly version: 1 | 2
  readonly controllers: ReadonlySet<Controller>
  /** Directories under which every sandbox has one named after it, and those of them that freeze. */
  readonly parents: readonly string[]
  readonly freezerParents: readonly string[]
  /** Creates the cgroup with its memory and process limits; the CPU share comes later, by `limitCpu`. */
  create(id: string, limits: SandboxLimits): Cgroup
}

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Writes into a kernel file. False when it is not there or refuses. */
export function tryWrite(path: string, text: string): boolean {
  try {
    // 'r+': a plain write would create a file where the cgroup is gone and its mount too.
    writeFileSync(path, text, { flag: 'r+' })
    return true
  } catch {
    return false
  }
}

export function mustWrite(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'r+' })
  } catch (cause) {
    throw new Error(`Cannot write "${text}" to "${path}"`, { cause })
  }
}

/** Makes a cgroup and tells whether this process may make others in it and move processes there. */
export function isUsableCgroup(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true })
    accessSync(directory, constants.W_OK)
    accessSync(join(directory, 'cgroup.procs'), constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** The one number that a file holds. */
export function number(text: string | undefined): number | undefined {
  const value = Number(text ?? Number.NaN)
  return Number.isFinite(value) ? value : undefined
}

/** The number after `key` in a file of `key value` lines. */
export function field(text: string | undefined, key: string): number | undefined {
  const line = text?.split('\n').find((candidate) => candidate.startsWith(`${key} `))
  return line === undefined ? undefined : number(line.slice(key.length + 1))
}
