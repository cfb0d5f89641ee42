/** The OCI runtime configuration of one sandbox. Source: opencontainers/runtime-spec, config.md and config-linux.md. */
import type { SandboxSpec, SharedDirectory, GuestFiles } from '../port.ts'
import { GUEST_USER, type RootFiles } from '../root-files.ts'
import { seccompProfile } from './seccomp.ts'

/** Ids 0 to 65535 inside are this many outside, from the sandbox's own base. */
export const ID_RANGE = 65_536
/**
 * First host id that sandboxes use. systemd's table of ids leaves 1879048192 to 2147483647 unused
 * (systemd.io/UIDS-GIDS); 4096 ranges fit.
 */
const FIRST_HOST_ID = 1_879_048_192
const RANGES = 4096

/**
 * The host ids of a sandbox: different for different sandboxes, as far as the ranges reach, and the same for those that
 * share a directory.
 */
export function hostIdBase({
  id,
  shared = [],
  snapshot,
}: Pick<SandboxSpec, 'id' | 'shared' | 'snapshot'>): number {
  const owner = shared[0]?.owner ?? snapshot?.owner ?? id
  return FIRST_HOST_ID + (Number.parseInt(owner.slice(-8), 16) % RANGES) * ID_RANGE
}

const READ_ONLY = ['rbind', 'ro', 'nosuid', 'nodev'] as const
const MASKED = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/firmware',
] as const
const UNWRITABLE = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'] as const
const NO_CAPABILITIES = { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] }
const SHM_BYTES = 4 * 1024 * 1024

/**
 * Process 1 of the sandbox: keeps its namespaces, adopts and collects orphans. It is root inside, without any
 * capability, so that the guest can't signal it.
 */
const KEEPER = ['/bin/sh', '-c', 'while :; do sleep 1000000; done']

export interface SandboxPlaces {
  readonly files: GuestFiles
  readonly compiled: string | undefined
  /** True: what is mounted on the places of code, layers and /tmp later appears inside. */
  readonly followed: boolean
  /** A bind mount of the network namespace; undefined: the host's. */
  readonly network: string | undefined
  /** Mounted file system for /tmp, of its own size. Undefined: memory, charged to the function. */
  readonly tmp: string | undefined
  readonly hostName: string
  /** Undefined: the runtime leaves cgroups alone. */
  readonly cgroups?: string | undefined
  /** What CRIU needs, and where the sandbox has it: the outer ones first, since binds don't bring what is mounted below. */
  readonly tools?: readonly { readonly source: string; readonly target: string }[] | undefined
}

export function ociConfig(
  spec: Pick<SandboxSpec, 'id' | 'limits' | 'shared' | 'snapshot'>,
  root: RootFiles,
  places: SandboxPlaces,
) {
  const hostId = hostIdBase(spec)
  const { files } = places
  const follow = places.followed ? ['rslave'] : []
  const bind = (source: string | undefined, destination: string, more: readonly string[] = []) =>
    source === undefined ? [] : [{ destination, type: 'bind', source, options: [...READ_ONLY, ...more] }]
  const tmpOptions = ['nosuid', 'nodev', 'mode=1777', `size=${spec.limits.tmpMiB}m`]
  return {
    ociVersion: '1.0.2',
    hostname: places.hostName,
    root: { path: root.directory, readonly: true },
    process: {
      user: { uid: 0, gid: 0 },
      args: root.init === undefined ? KEEPER : [root.init],
      env: ['PATH=/usr/local/bin:/usr/bin:/bin'],
      cwd: '/',
      capabilities: NO_CAPABILITIES,
      noNewPrivileges: true,
    },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      {
        destination: '/dev',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'noexec', 'mode=755', 'size=64k'],
      },
      {
        destination: '/dev/shm',
        type: 'tmpfs',
        source: 'shm',
        options: ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${SHM_BYTES}`],
      },
      ...root.mounts.flatMap(({ source, target }) => bind(source, target)),
      ...bind(files.task, '/var/task', follow),
      ...bind(files.opt, '/opt', follow),
      ...bind(places.compiled, '/var/cache', follow),
      ...bind(files.runtime, '/var/runtime'),
      ...bind(files.lang, '/var/lang'),
      ...(places.tools ?? []).flatMap(({ source, target }) => bind(source, target)),
      places.tmp === undefined
        ? { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: tmpOptions }
        : {
            destination: '/tmp',
            type: 'bind',
            source: places.tmp,
            options: ['bind', 'rw', 'nosuid', 'nodev', ...follow],
          },
      ...sharedMounts(spec.shared ?? []),
    ],
    linux: {
      ...(places.cgroups !== undefined && { cgroupsPath: places.cgroups }),
      namespaces: [
        { type: 'pid' },
        { type: 'mount' },
        { type: 'ipc' },
        { type: 'uts' },
        { type: 'cgroup' },
        { type: 'user' },
        ...(places.network === undefined ? [] : [{ type: 'network', path: places.network }]),
      ],
      uidMappings: [{ containerID: 0, hostID: hostId, size: ID_RANGE }],
      gidMappings: [{ containerID: 0, hostID: hostId, size: ID_RANGE }],
      ...(places.followed && { rootfsPropagation: 'rslave' }),
      maskedPaths: MASKED,
      readonlyPaths: UNWRITABLE,
      seccomp: seccompProfile(process.arch),
    },
  }
}

/** Each below an empty /mnt of its own, which the guest can't add to. */
function sharedMounts(shared: readonly SharedDirectory[]) {
  if (shared.length === 0) return []
  const options = ['nosuid', 'noexec', 'nodev', 'mode=755', 'size=64k']
  return [
    { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options },
    ...shared.map(({ source, target }) => ({
      destination: target,
      type: 'bind',
      source,
      options: ['bind', 'rw', 'nosuid', 'nodev'],
    })),
  ]
}

/** A process to start in a running sandbox, as the guest's unprivileged user. */
export function ociProcess(options: {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly openFiles: number
}) {
  return {
    terminal: false,
    user: { uid: GUEST_USER.uid, gid: GUEST_USER.gid },
    args: options.argv,
    env: Object.entries(options.env).map(([name, value]) => `${name}=${value}`),
    cwd: options.cwd,
    capabilities: NO_CAPABILITIES,
    noNewPrivileges: true,
    rlimits: [
      { type: 'RLIMIT_NOFILE', hard: options.openFiles, soft: options.openFiles },
      { type: 'RLIMIT_CORE', hard: 0, soft: 0 },
    ],
  }
}
