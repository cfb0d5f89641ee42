/**
 * What the serving process may ask of the spawner, and what comes back. The vocabulary is closed: the spawner checks
 * every message before it acts, because it may run as root and the serving process parses what strangers send.
 */
import { isAbsolute } from 'node:path'

/** Programs that `execute` may run; anything else is refused. */
export const TOOLS = ['cp', 'crun', 'ip', 'losetup', 'mkfs', 'mount', 'nft', 'nsenter', 'umount'] as const
export type Tool = (typeof TOOLS)[number]

/** How the main process is found below the process that was spawned. */
export type MainProcess =
  /** It is the spawned process itself. */
  | { readonly kind: 'child' }
  /** It is that many generations below, always the eldest child (a sandbox program and its init stand above it). */
  | { readonly kind: 'descendant'; readonly generations: number }
  /** The spawned command ends at once and leaves the pid of the process it started in this file. */
  | { readonly kind: 'pid-file'; readonly path: string }
  /** The spawned command ends at once and has continued a process that is `pid` in the pid namespace of `keeper`. */
  | { readonly kind: 'restored'; readonly keeper: number; readonly pid: number }

export interface SpawnRequest {
  readonly op: 'spawn'
  /** Name of this run; exits are reported under it. */
  readonly run: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** An empty pipe instead of /dev/null, for programs that change the owner of their standard streams. */
  readonly stdin?: 'closed-pipe'
  /** Named pipes that the serving process already reads. */
  readonly stdout: string
  readonly stderr: string
  /** Unix socket to connect for descriptor 3, and the line that says who connects. */
  readonly control?: { readonly socket: string; readonly preamble: string }
  /** A file to hand on as the descriptor after the control socket's, or as 3 without one. */
  readonly argumentFile?: string
  readonly main: MainProcess
}

export type SpawnerRequest =
  | SpawnRequest
  | { readonly op: 'make-fifos'; readonly paths: readonly string[]; readonly uid?: number }
  | { readonly op: 'signal'; readonly run: string; readonly signal: 'SIGTERM' | 'SIGKILL' }
  | {
      readonly op: 'execute'
      readonly tool: Tool
      readonly args: readonly string[]
      readonly input?: string
      /** Cgroups to run it in. What it prints is then not kept, since what it starts may hold its output open. */
      readonly cgroups?: readonly string[]
      readonly deadlineMs: number
    }
  /** A file system of its own size, mounted, empty, and owned by `uid`. */
  | {
      readonly op: 'make-scratch'
      readonly image: string
      readonly mountPoint: string
      readonly sizeMiB: number
      readonly uid: number
      readonly gid: number
      /** Begins with what is in this image of such a file system, instead of empty. */
      readonly copyOf?: string
    }
  /** Shows host directories at other places, in the spawner's own mount namespace only. */
  | {
      readonly op: 'bind'
      readonly mounts: readonly { readonly source: string; readonly target: string }[]
      /** Leaves alone what is mounted there already. */
      readonly once?: boolean
    }
  /** A directory, made with these below it, whose mounts appear from now on wherever it is shown. */
  | { readonly op: 'make-shared'; readonly directory: string; readonly subdirectories: readonly string[] }
  /**
   * Shows host directories read-only in such a directory, and removes the empty ones that are `absent`. `stage` is a
   * name that nobody uses, and is left free again.
   */
  | {
      readonly op: 'show'
      readonly stage: string
      readonly absent: readonly string[]
      readonly mounts: readonly { readonly source: string; readonly target: string }[]
    }
  /** Directories laid over each other, the first on top, to be read only. */
  | { readonly op: 'mount-layers'; readonly layers: readonly string[]; readonly target: string }
  /** Memory of its own size at a place in the spawner's own mount namespace. */
  | { readonly op: 'mount-memory'; readonly target: string; readonly sizeMiB: number }
  /** A network namespace bound to a file. Lines for `ip -batch`: `inside` runs in it, then `outside` on the host. */
  | {
      readonly op: 'make-network'
      readonly file: string
      readonly inside: readonly string[]
      readonly outside: readonly string[]
    }
  /** Lets this host forward packets between its interfaces. */
  | { readonly op: 'allow-forwarding' }
  /** Answers with a listening server as the message's handle. */
  | {
      readonly op: 'listen'
      readonly network: string
      readonly address: string
      readonly port: number
    }
  /** Answers with a connection to this port of the network's loopback as the message's handle. */
  | { readonly op: 'connect'; readonly network: string; readonly port: number }
  /** Copies what a guest has left in the directory `name` of `from` to a new directory. Answers the bytes. */
  | { readonly op: 'collect'; readonly from: string; readonly name: string; readonly into: string }
  /** Learns once what the kernel can, so that `program` (CRIU) need not find out in every sandbox. */
  | { readonly op: 'prepare-snapshots'; readonly place: string; readonly program: string }
  /** The next process in the pid namespace of `keeper` gets a number above this one. */
  | { readonly op: 'raise-pids'; readonly keeper: number; readonly above: number }
  /** Writes the process `pid` and all below it to the new directory `into`, and ends them. Answers the bytes. */
  | {
      readonly op: 'checkpoint'
      readonly keeper: number
      readonly pid: number
      /** CRIU, as the sandbox of `keeper` sees it. */
      readonly program: string
      readonly into: string
      /** The sandbox's root, who continues it. */
      readonly uid: number
      /** Kept beside it. */
      readonly scratch: { readonly image: string; readonly mountPoint: string } | undefined
      readonly deadlineMs: number
    }
  /** Takes note of the clean-up plan in this directory, which must be written already. */
  | { readonly op: 'remember'; readonly directory: string }
  /** Kills every process of the sandbox in this directory, except the spared ones. */
  | { readonly op: 'kill'; readonly directory: string; readonly spare: readonly number[] }
  /** Kills and removes what the plan in this directory lists, then the directory. */
  | { readonly op: 'clean-up'; readonly directory: string }
  /** The same for every sandbox under the state directory. Answers how many there were. */
  | { readonly op: 'sweep' }

export type SpawnerReply =
  | { readonly kind: 'reply'; readonly id: number; readonly value: SpawnerValue }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string }
  | {
      readonly kind: 'exit'
      readonly run: string
      readonly code: number | null
      readonly signal: string | null
    }
  | { readonly kind: 'ready'; readonly native: boolean; readonly pid: number }

export interface SpawnerValue {
  readonly pid?: number
  readonly count?: number
  readonly code?: number | null
  readonly stdout?: string
  readonly stderr?: string
}

const MAX_ITEMS = 4096
const RUN_NAME = /^[\w.-]{1,200}$/

const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0')
const isPath = (value: unknown): value is string =>
  isText(value) && isAbsolute(value) && !value.split('/').includes('..')
const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length <= MAX_ITEMS && value.every(isText)
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isRun = (value: unknown): boolean => isText(value) && RUN_NAME.test(value)
const isPositive = (value: unknown): boolean => Number.isInteger(value) && Number(value) > 0

/** A relative path that leads nowhere else. */
const isBelow = (path: string) => !isAbsolute(path) && !path.split('/').includes('..')
const areMounts = (value: unknown) =>
  Array.isArray(value) &&
  value.length <= MAX_ITEMS &&
  value.every((mount) => isRecord(mount) && isPath(mount['source']) && isPath(mount['target']))

function isMain(value: unknown): boolean {
  if (!isRecord(value)) return false
  if (value['kind'] === 'child') return true
  if (value['kind'] === 'descendant') return isPositive(value['generations'])
  if (value['kind'] === 'restored') return isPositive(value['keeper']) && isPositive(value['pid'])
  return value['kind'] === 'pid-file' && isPath(value['path'])
}

const CHECKS: { readonly [Op in SpawnerRequest['op']]: (m: Record<string, unknown>) => boolean } = {
  spawn: (m) =>
    isRun(m['run']) &&
    isTexts(m['argv']) &&
    isPath(m['argv'][0]) &&
    isRecord(m['env']) &&
    Object.entries(m['env']).every(([name, value]) => isText(name) && isText(value)) &&
    isPath(m['cwd']) &&
    (m['stdin'] === undefined || m['stdin'] === 'closed-pipe') &&
    (m['argumentFile'] === undefined || isPath(m['argumentFile'])) &&
    isPath(m['stdout']) &&
    isPath(m['stderr']) &&
    (m['control'] === undefined ||
      (isRecord(m['control']) && isPath(m['control']['socket']) && isText(m['control']['preamble']))) &&
    isMain(m['main']),
  'make-fifos': (m) =>
    isTexts(m['paths']) && m['paths'].every(isPath) && (m['uid'] === undefined || Number.isInteger(m['uid'])),
  signal: (m) => isRun(m['run']) && (m['signal'] === 'SIGTERM' || m['signal'] === 'SIGKILL'),
  execute: (m) =>
    TOOLS.some((tool) => tool === m['tool']) &&
    isTexts(m['args']) &&
    (m['cgroups'] === undefined || (isTexts(m['cgroups']) && m['cgroups'].every(isPath))) &&
    (m['input'] === undefined || isText(m['input'])) &&
    isPositive(m['deadlineMs']),
  'make-scratch': (m) =>
    isPath(m['image']) &&
    isPath(m['mountPoint']) &&
    isPositive(m['sizeMiB']) &&
    Number.isInteger(m['uid']) &&
    Number.isInteger(m['gid']) &&
    (m['copyOf'] === undefined || isPath(m['copyOf'])),
  bind: (m) => areMounts(m['mounts']) && (m['once'] === undefined || typeof m['once'] === 'boolean'),
  'make-shared': (m) =>
    isPath(m['directory']) && isTexts(m['subdirectories']) && m['subdirectories'].every(isBelow),
  show: (m) =>
    isTexts(m['absent']) && m['absent'].every(isPath) && isPath(m['stage']) && areMounts(m['mounts']),
  'mount-layers': (m) => isTexts(m['layers']) && m['layers'].every(isPath) && isPath(m['target']),
  'mount-memory': (m) => isPath(m['target']) && isPositive(m['sizeMiB']),
  'make-network': (m) => isPath(m['file']) && isTexts(m['inside']) && isTexts(m['outside']),
  'allow-forwarding': () => true,
  listen: (m) => isPath(m['network']) && isText(m['address']) && isPositive(m['port']),
  connect: (m) => isPath(m['network']) && isPositive(m['port']) && Number(m['port']) <= 65_535,
  collect: (m) => isPath(m['from']) && isRun(m['name']) && m['name'] !== '..' && isPath(m['into']),
  kill: (m) =>
    isPath(m['directory']) && Array.isArray(m['spare']) && m['spare'].every((pid) => isPositive(pid)),
  'prepare-snapshots': (m) => isPath(m['place']) && isPath(m['program']),
  'raise-pids': (m) => isPositive(m['keeper']) && isPositive(m['above']),
  checkpoint: (m) =>
    isPositive(m['keeper']) &&
    isPositive(m['pid']) &&
    isPath(m['program']) &&
    isPath(m['into']) &&
    Number.isInteger(m['uid']) &&
    isPositive(m['deadlineMs']) &&
    (m['scratch'] === undefined ||
      (isRecord(m['scratch']) && isPath(m['scratch']['image']) && isPath(m['scratch']['mountPoint']))),
  remember: (m) => isPath(m['directory']),
  'clean-up': (m) => isPath(m['directory']),
  sweep: () => true,
}

/** The request, when it is one the spawner knows and every field is sound; otherwise undefined. */
export function checkRequest(message: unknown): SpawnerRequest | undefined {
  if (!isRecord(message) || !isText(message['op']) || !Object.hasOwn(CHECKS, message['op'])) return undefined
  const check = CHECKS[message['op'] as SpawnerRequest['op']]
  return check(message) ? (message as unknown as SpawnerRequest) : undefined
}
