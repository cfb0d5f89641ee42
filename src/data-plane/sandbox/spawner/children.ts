/**
 * The children of the spawner: those that Node started and will collect itself, and orphans of sandboxes, which become
 * the spawner's because it is their subreaper, and which it must collect or they stay in the process table for ever.
 */
import type { ChildProcess } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'

import type { ChildStatus, Native } from './native.ts'

const own = new Set<number>()

/** Must be called in the same turn as the spawn: Node waits for this child, and nobody else may. */
export function nodeCollects<Child extends ChildProcess>(child: Child): Child {
  const { pid } = child
  if (pid !== undefined) {
    own.add(pid)
    child.once('exit', () => own.delete(pid))
  }
  return child
}

/** SIGCHLDs that arrive together are one; an orphan that got lost so is noticed this late. */
const LOOK_EVERY_MS = 100

/** Collects every orphan from now on and tells of each. */
export function collectOrphans(native: Native, onCollected: (status: ChildStatus) => void): () => void {
  const collect = () => {
    for (const pid of childrenOfThisProcess()) {
      if (own.has(pid)) continue
      const status = native.collect(pid)
      if (status) onCollected(status)
    }
  }
  process.on('SIGCHLD', collect)
  setInterval(collect, LOOK_EVERY_MS).unref()
  return collect
}

function childrenOfThisProcess(): readonly number[] {
  try {
    const text = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
    return text.split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** The orphan that is `pid` in the pid namespace of `keeper`. */
export function restoredProcess({ keeper, pid }: { readonly keeper: number; readonly pid: number }): number {
  const space = readlinkSync(`/proc/${keeper}/ns/pid`)
  for (const child of childrenOfThisProcess()) {
    try {
      if (innerPid(child) === pid && readlinkSync(`/proc/${child}/ns/pid`) === space) return child
    } catch {
      // It has ended.
    }
  }
  throw new Error('The process that was continued is gone already')
}

/** The number of a process in its own pid namespace. */
export function innerPid(pid: number): number {
  const numbers = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? ''
  return Number(numbers.trim().split(/\s+/).at(-1))
}
