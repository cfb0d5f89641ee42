/** The command line of bubblewrap for one run of a guest. */
import type { GuestCommand, GuestFiles } from '../port.ts'
import { GUEST_USER, HOST_NAME, type RootFiles } from '../root-files.ts'

const SHM_BYTES = 4 * 1024 * 1024

export interface BubblewrapPlaces {
  readonly root: RootFiles
  readonly files: GuestFiles
  readonly compiled: string | undefined
  readonly tmp: string
  /** Shared directories, where this program's mount namespace has them. */
  readonly shared: readonly { readonly source: string; readonly target: string }[]
}

/**
 * Arguments that bubblewrap reads from a file. They hold the guest's environment variables, which must neither stand
 * on a command line (every user of the host reads these) nor reach the programs that run before the guest does
 * (`LD_PRELOAD`).
 */
export function argumentFile(places: BubblewrapPlaces, command: GuestCommand): string {
  const bind = (source: string | undefined, target: string) =>
    source === undefined ? [] : ['--ro-bind', source, target]
  const args = [
    '--unshare-user',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    '--disable-userns',
    '--cap-drop',
    'ALL',
    '--uid',
    String(GUEST_USER.uid),
    '--gid',
    String(GUEST_USER.gid),
    '--hostname',
    HOST_NAME,
    '--die-with-parent',
    ...bind(places.root.directory, '/'),
    ...places.root.mounts.flatMap(({ source, target }) => bind(source, target)),
    ...bind(places.files.task, '/var/task'),
    ...bind(places.files.opt, '/opt'),
    ...bind(places.compiled, '/var/cache'),
    ...bind(places.files.runtime, '/var/runtime'),
    ...bind(places.files.lang, '/var/lang'),
    '--bind',
    places.tmp,
    '/tmp',
    ...showShared(places.shared),
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--size',
    String(SHM_BYTES),
    '--tmpfs',
    '/dev/shm',
    '--remount-ro',
    '/dev',
    '--clearenv',
    ...Object.entries(command.env).flatMap(([name, value]) => ['--setenv', name, value]),
    '--chdir',
    command.cwd,
  ]
  // A zero byte would begin another argument: the guest's own command must not add any.
  if (args.some((arg) => arg.includes('\0'))) throw new Error('An argument of bubblewrap holds a zero byte')
  return args.map((arg) => `${arg}\0`).join('')
}

/** Each below an empty /mnt of its own, which the guest can't add to. */
const showShared = (shared: BubblewrapPlaces['shared']) =>
  shared.length === 0
    ? []
    : [
        '--tmpfs',
        '/mnt',
        ...shared.flatMap(({ source, target }) => ['--bind', source, target]),
        '--remount-ro',
        '/mnt',
      ]
