/** The isolated place a guest runs in. One driver per kind of isolation; the worker never knows which. */
import type { Server, Socket } from 'node:net'
import type { Duplex, Readable } from 'node:stream'

import type { GuestExit } from '#contracts/invocation.ts'
import type { FunctionNetwork } from '#contracts/network.ts'

export type DriverName = 'oci' | 'bubblewrap' | 'process'

/** What a driver really enforces on this machine; `doctor` and health print it. `no` carries the reason. */
export type Enforcement = { readonly enforced: true } | { readonly enforced: false; readonly why: string }
export interface DriverReport {
  readonly driver: DriverName
  /** Undefined when the driver can run here, otherwise why not and what to do about it. */
  readonly unavailable?: string
  readonly memory: Enforcement
  readonly cpu: Enforcement
  readonly tmpSize: Enforcement
  readonly openFiles: Enforcement
  readonly processes: Enforcement
  readonly filesystem: Enforcement
  readonly network: Enforcement
  /** Freezing an idle environment. */
  readonly freeze: Enforcement
  /** Processes can be kept and continued later, in other sandboxes. Left out: never by this driver. */
  readonly snapshots?: Enforcement
  /** A guest can have the root of a container image. Left out: never by this driver. */
  readonly images?: Enforcement
  /** More that the owner of this machine should know, one sentence each. */
  readonly notes?: readonly string[]
}

export interface SandboxLimits {
  readonly memoryMiB: number
  /** Share of CPU time: 1 is one core. */
  readonly vcpus: number
  readonly tmpMiB: number
  readonly openFiles: number
  readonly processes: number
}

/** Host directories that the guest sees, all read-only. */
export interface GuestFiles {
  /** Function code: /var/task. Undefined: it is in the image. */
  readonly task: string | undefined
  /** Merged layers: /opt. Undefined: an empty directory. */
  readonly opt: string | undefined
  /** Our runtime client of this family: /var/runtime. */
  readonly runtime: string | undefined
  /** An interpreter that the host's /usr does not hold: /var/lang. */
  readonly lang: string | undefined
}

/** The same directories as the guest names them. The process driver cannot mount, so there they are the host's. */
export interface GuestPaths {
  readonly task: string
  readonly opt: string
  readonly runtime: string
  readonly lang: string
  readonly tmp: string
  readonly compiled: string
}

/** A directory of the host that the guest may write to and that stays when the sandbox goes. */
export interface SharedDirectory {
  readonly source: string
  /** `/mnt/NAME`. */
  readonly target: string
  /**
   * Hexadecimal. Sandboxes whose first shared directory has the same one run as the same user of the host, so that
   * each can use what another has written.
   */
  readonly owner: string
}

export interface SandboxSpec {
  /** Environment id: lower-case hexadecimal, unique on this host. */
  readonly id: string
  readonly files: GuestFiles
  /**
   * A directory with the whole root file system of a container image, which the guest sees read-only, with our few files
   * over it, instead of the host's programs and libraries. Creating is refused where the driver can't show it.
   */
  readonly image?: string
  readonly limits: SandboxLimits
  /** Left out: `internet`, as far as the driver has a way out. Creating is refused where the driver can't close it. */
  readonly network?: FunctionNetwork
  /** Creating is refused where the driver can't show them. */
  readonly shared?: readonly SharedDirectory[]
  /** Its main process will be kept, or is one that was. Creating is refused where the driver can't. */
  readonly snapshot?: SnapshotSpec
}

export interface SnapshotSpec {
  /** Hexadecimal. All sandboxes of one snapshot run as the same user of the host, whose files they have in /tmp. */
  readonly owner: string
  /** The directory of a snapshot: /tmp begins with what it was then. Undefined: this sandbox is the one to be kept. */
  readonly from: string | undefined
}

/**
 * What a process that is about to be kept must have opened, below the directory of our client, in place of its standard
 * output, its standard error and its control socket; a continued process has new ones there.
 */
export const SNAPSHOT_SLOTS = ['snapshot/stdout', 'snapshot/stderr', 'snapshot/control'] as const

export interface SandboxSnapshots {
  /** Writes the main process and everything below it, and /tmp, to a new directory of the host. Ends them all. Answers the bytes. */
  take(into: string): Promise<number>
  /** Continues, as the main process, what `take` has written. */
  restore(from: string): Promise<Guest>
}

/** A sandbox that is nobody's yet: it has a runtime but no code. */
export interface BlankSpec {
  readonly id: string
  readonly files: Pick<GuestFiles, 'runtime' | 'lang'>
  /** Memory and processes hold until it is somebody's; /tmp has its size from the start. */
  readonly limits: SandboxLimits
  /** True: nobody waits for it, so it gets what CPU time others leave, where the driver can. */
  readonly background: boolean
  /** Its network and its files are those of most functions; others can't be given it. */
  readonly network?: undefined
  readonly shared?: undefined
  readonly image?: undefined
  readonly snapshot?: undefined
}

/** What makes a blank sandbox a function's. */
export interface SandboxOwner {
  readonly files: Pick<GuestFiles, 'opt'> & {
    readonly task: string
    /** What compiled its code before: /var/cache. Undefined: an empty directory. */
    readonly compiled?: string | undefined
  }
  /** Open files and processes stay as they are. */
  readonly limits: SandboxLimits
}

export interface GuestCommand {
  /** Absolute path in the guest, then arguments. */
  readonly argv: readonly string[]
  /** The whole environment of the guest: nothing of the host's is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** True: file descriptor 3 of the guest is one end of a socket pair, the other is `Guest.control`. */
  readonly control: boolean
}

/** One run of a process in a sandbox. */
export interface Guest {
  readonly control: Duplex | undefined
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves once, when the process has ended. Never rejects. */
  readonly exited: Promise<GuestExit>
  /** Sends a signal to the process; does nothing when it is gone. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void
}

export interface Sandbox {
  readonly id: string
  /** Where a driver can't mount, those of a blank sandbox change when it becomes somebody's. */
  readonly paths: GuestPaths
  /**
   * Opens a listener that only this sandbox reaches, before the first `start`. `address` (host:port) is how the guest
   * names it. The server is closed when the sandbox is destroyed, or earlier by the caller.
   */
  listen(): Promise<{ readonly server: Server; readonly address: string }>
  /**
   * Connects to a port of the guest's loopback, for what a process inside listens on. Rejects when nobody does. What the
   * other side sends before it is spoken to may be lost.
   */
  connect(port: number): Promise<Socket>
  /**
   * Starts another process beside the main one, which need not run yet: same files, same network, same limits together.
   * It ends with the next `start` of the main one at the latest, unless `clear` came before it. It may not see the main one's processes.
   */
  startBeside(command: GuestCommand): Promise<Guest>
  /** Undefined unless the specification asked for it. */
  readonly snapshots?: SandboxSnapshots | undefined
  /** One more listener, on the guest's own 127.0.0.1; undefined where the driver has none. */
  readonly listenOnLoopback?: ((port: number) => Promise<Server>) | undefined
  /** Kills every process in it; /tmp is kept. What is started beside afterwards is not touched by the next `start`. */
  clear(): Promise<void>
  /** Starts the main process. An earlier one and everything it left running is killed first; /tmp is kept. */
  start(command: GuestCommand): Promise<Guest>
  /**
   * Applies the CPU share of the spec. Until then, and from the next `start` or SIGKILL on again, the guest runs without
   * one: initialisation has the whole machine, as in AWS, and what must die does it at once.
   */
  limitCpu(): void
  /**
   * Stops every process in its tracks, some milliseconds later unless `thaw` comes first. Cheap, not awaited. Does
   * nothing where the driver can't.
   */
  freeze(): void
  thaw(): void
  /**
   * Highest memory use of this sandbox so far, in MiB, rounded up; invocations of one environment share it, as in AWS.
   * Undefined when the driver can't tell.
   */
  peakMemoryMiB(): number | undefined
  /** What it uses now; undefined what the driver can't tell. */
  usage(): { readonly memoryMiB: number | undefined; readonly cpuMs: number | undefined }
  /** Kills everything and removes every mount, namespace, cgroup and file. Safe to call at any time, more than once. */
  destroy(): Promise<void>
}

/** A sandbox in which a guest may run before it is known whose it will be. */
export interface BlankSandbox extends Sandbox {
  /**
   * Gives it to a function, for ever: code and layers appear at `paths` under the processes that run already, the
   * memory limit and the size of /tmp change. Once only; whoever is refused or fails must destroy it.
   */
  specialise(owner: SandboxOwner): Promise<void>
  /**
   * Copies the plain files that the guest has left in directories below /tmp/`name` to a new directory of the host, and
   * answers how many bytes they have. The guest may be hostile: links are not followed, and what is too large or too
   * much rejects. Rejects also where this driver can't look into /tmp.
   */
  collect(name: string, into: string): Promise<number>
}

export interface SandboxDriver {
  readonly report: DriverReport
  /** Prepares the isolated place; nothing runs in it yet. Rejects with a clear message when the host cannot. */
  create(spec: SandboxSpec): Promise<Sandbox>
  /** The same without code: /var/task and /opt are empty until it is somebody's. */
  createBlank(spec: BlankSpec): Promise<BlankSandbox>
  /** The URL under which a guest reaches what this process serves on `port`, on the host's loopback or everywhere. */
  endpointFor(port: number): string
  /** Removes what an earlier agent left behind: thaw, kill, unmount, delete. Returns how many sandboxes it found. */
  sweep(): Promise<number>
  /** Destroys every sandbox and ends the helper processes. */
  stop(): Promise<void>
}
