/** A small file of the kernel that is read or written again and again: opened once, so that each use is one system call. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs'

export interface KernelFile {
  /** False when it is not there or refuses. */
  write(text: string): boolean
  /** Undefined when it is not there. */
  read(): string | undefined
  close(): void
}

/** The counters read this way are single numbers. */
const MAX_BYTES = 64

/** Opens `path` at its first use. Nothing here throws: the cgroup may be gone at any time. */
export function createKernelFile(path: string): KernelFile {
  let handle: number | undefined
  let closed = false
  const buffer = Buffer.alloc(MAX_BYTES)
  const use = <T>(work: (handle: number) => T): T | undefined => {
    if (closed) return undefined
    try {
      handle ??= openSync(path, 'r+')
      return work(handle)
    } catch {
      return undefined
    }
  }
  return {
    write: (text) => use((open) => writeSync(open, text, 0)) !== undefined,
    read: () => use((open) => buffer.toString('latin1', 0, readSync(open, buffer, 0, MAX_BYTES, 0))),
    close() {
      closed = true
      if (handle !== undefined) closeSync(handle)
      handle = undefined
    },
  }
}
