/**
 * The few system calls that Node has no function for, through `node:ffi` (Node 26). Only the spawner process loads
 * this: a wrong signature would end the process that calls it, and that must never be the one that serves.
 */
import type * as ffiModule from 'node:ffi'
import { closeSync, openSync } from 'node:fs'

/** Linux values, the same on x86-64 and arm64. */
const AF_UNIX = 1
const AF_INET = 2
const SOCK_STREAM = 1
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const CLONE_NEWNET = 0x40000000
const PR_SET_CHILD_SUBREAPER = 36
const WNOHANG = 1
const MS_RDONLY = 1n
const MS_NOSUID = 2n
const MS_NODEV = 4n
const MS_REMOUNT = 32n
const MS_BIND = 4096n
const MS_REC = 16384n
const MS_PRIVATE = 262_144n
const MS_SHARED = 1_048_576n
const MNT_DETACH = 2
const EMPTY_POINTER = 0n

export interface ChildStatus {
  readonly pid: number
  readonly code: number | null
  /** Signal number. */
  readonly signal: number | null
}

export interface Native {
  /** Creates a named pipe. False when the kernel refused. */
  makeFifo(path: string, mode: number): boolean
  /** Shows a directory, with what is mounted below it, at another place. False when the kernel refused. */
  bindMount(source: string, target: string): boolean
  /** Makes a mount pass on what is mounted below it to its copies. False when the kernel refused. */
  share(target: string): boolean
  /**
   * Shows a directory at a place whose mounts are passed on; it is read-only from the first moment. `stage` is an empty
   * directory for the moment before. False when the kernel refused; then nothing has changed.
   */
  showReadOnly(source: string, target: string, stage: string): boolean
  /** Removes the topmost mount at a place, in use or not. False when the kernel refused. */
  unmount(target: string): boolean
  /** Connects a blocking stream socket to a Unix socket path; the descriptor belongs to the caller. */
  connectUnix(path: string): number
  /** From now on orphans below this process become its children. */
  becomeSubreaper(): boolean
  /** Collects one ended child with this pid, or undefined while it runs or when it is no child of ours. */
  collect(pid: number): ChildStatus | undefined
  /** Runs `action` with the calling thread in another network namespace; what it spawns starts there too. */
  inNetwork<T>(namespaceFile: string, action: () => T): T
  /** Moves the calling thread into a fresh network namespace, runs `action` with a path that names it, moves back. */
  inFreshNetwork<T>(action: (namespaceFile: string) => T): T
  /** A connected IPv4 socket in the calling thread's network namespace; waits for the other side, so loopback only. */
  connectTcp(address: readonly [number, number, number, number], port: number): number
  /** A listening IPv4 socket in the calling thread's network namespace. */
  listenTcp(address: readonly [number, number, number, number], port: number, backlog: number): number
}

/** Undefined where this Node has no `node:ffi` or the platform is not Linux; callers then use commands. */
export async function loadNative(): Promise<Native | undefined> {
  if (process.platform !== 'linux') return undefined
  try {
    return bind(await import('node:ffi'))
  } catch {
    return undefined
  }
}

/** struct sockaddr_in: family in host order, port and address in network order (ip(7)). */
function internetAddress(octets: readonly number[], port: number): Buffer {
  const address = Buffer.alloc(16)
  address.writeUInt16LE(AF_INET, 0)
  address.writeUInt16BE(port, 2)
  Buffer.from(octets).copy(address, 4)
  return address
}

function bind(ffi: typeof ffiModule): Native {
  const { functions: c } = ffi.dlopen(null, {
    mkfifo: { arguments: ['string', 'u32'], return: 'i32' },
    socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
    connect: { arguments: ['i32', 'buffer', 'u32'], return: 'i32' },
    bind: { arguments: ['i32', 'buffer', 'u32'], return: 'i32' },
    listen: { arguments: ['i32', 'i32'], return: 'i32' },
    setsockopt: { arguments: ['i32', 'i32', 'i32', 'buffer', 'u32'], return: 'i32' },
    prctl: { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' },
    setns: { arguments: ['i32', 'i32'], return: 'i32' },
    unshare: { arguments: ['i32'], return: 'i32' },
    mount: { arguments: ['string', 'string', 'pointer', 'u64', 'pointer'], return: 'i32' },
    umount2: { arguments: ['string', 'i32'], return: 'i32' },
    wait4: { arguments: ['i32', 'buffer', 'i32', 'pointer'], return: 'i32' },
  })

  /** The namespace this thread starts in; opened once, because it must be found again whatever happens. */
  let home: number | undefined
  const backHome = (homeDescriptor: number) => {
    // A spawner left in a guest's network would leak every later sandbox into it: ending is the safe answer.
    if (c.setns(homeDescriptor, CLONE_NEWNET) !== 0) process.exit(70)
  }
  const homeNetwork = () => (home ??= openSync('/proc/self/ns/net', 'r'))

  const openTcp = () => {
    const descriptor = c.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
    if (descriptor < 0) throw new Error('Cannot open a TCP socket')
    return descriptor
  }

  return {
    makeFifo: (path, mode) => c.mkfifo(path, mode) === 0,
    bindMount: (source, target) =>
      c.mount(source, target, EMPTY_POINTER, MS_BIND | MS_REC, EMPTY_POINTER) === 0,
    share: (target) => {
      // First apart from the group that it may be in by its parent.
      for (const flag of [MS_PRIVATE, MS_SHARED])
        if (c.mount('none', target, EMPTY_POINTER, flag, EMPTY_POINTER) !== 0) return false
      return true
    },
    unmount: (target) => c.umount2(target, 0) === 0 || c.umount2(target, MNT_DETACH) === 0,
    showReadOnly(source, target, stage) {
      if (c.mount(source, stage, EMPTY_POINTER, MS_BIND, EMPTY_POINTER) !== 0) return false
      const flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV
      const shown =
        c.mount('none', stage, EMPTY_POINTER, flags, EMPTY_POINTER) === 0 &&
        c.mount(stage, target, EMPTY_POINTER, MS_BIND, EMPTY_POINTER) === 0
      c.umount2(stage, MNT_DETACH)
      return shown
    },
    connectUnix(path) {
      const bytes = Buffer.from(path)
      // struct sockaddr_un: family in host order, 108 bytes of path with a closing zero (unix(7)).
      if (bytes.length > 107) throw new Error(`A socket path has at most 107 bytes: "${path}"`)
      const address = Buffer.alloc(2 + bytes.length + 1)
      address.writeUInt16LE(AF_UNIX, 0)
      bytes.copy(address, 2)
      const descriptor = c.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)
      if (descriptor < 0) throw new Error('Cannot open a Unix socket')
      if (c.connect(descriptor, address, address.length) === 0) return descriptor
      closeSync(descriptor)
      throw new Error(`Cannot connect to "${path}"`)
    },
    becomeSubreaper: () => c.prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n) === 0,
    collect(pid) {
      const status = Buffer.alloc(4)
      if (c.wait4(pid, status, WNOHANG, EMPTY_POINTER) !== pid) return undefined
      const word = status.readInt32LE(0)
      // Layout of a wait status: low seven bits the signal, next byte the exit code (wait(2)).
      const signal = word & 0x7f
      return { pid, code: signal === 0 ? (word >> 8) & 0xff : null, signal: signal === 0 ? null : signal }
    },
    inNetwork(namespaceFile, action) {
      const back = homeNetwork()
      const target = openSync(namespaceFile, 'r')
      try {
        if (c.setns(target, CLONE_NEWNET) !== 0)
          throw new Error(`Cannot enter the network namespace "${namespaceFile}"`)
        try {
          return action()
        } finally {
          backHome(back)
        }
      } finally {
        closeSync(target)
      }
    },
    inFreshNetwork(action) {
      const back = homeNetwork()
      if (c.unshare(CLONE_NEWNET) !== 0) throw new Error('Cannot create a network namespace')
      try {
        return action('/proc/thread-self/ns/net')
      } finally {
        backHome(back)
      }
    },
    connectTcp(octets, port) {
      const descriptor = openTcp()
      if (c.connect(descriptor, internetAddress(octets, port), 16) === 0) return descriptor
      closeSync(descriptor)
      throw new Error(`Nothing listens on ${octets.join('.')}:${port}`)
    },
    listenTcp(octets, port, backlog) {
      const descriptor = openTcp()
      const one = Buffer.alloc(4)
      one.writeInt32LE(1)
      c.setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, one, 4)
      if (c.bind(descriptor, internetAddress(octets, port), 16) === 0 && c.listen(descriptor, backlog) === 0)
        return descriptor
      closeSync(descriptor)
      throw new Error(`Cannot listen on ${octets.join('.')}:${port}`)
    },
  }
}
