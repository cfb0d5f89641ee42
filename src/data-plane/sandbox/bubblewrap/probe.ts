/** Can this machine run the bubblewrap driver, and what does it enforce here? */
import { detectCgroups } from '../cgroup/detect.ts'
import type { CgroupHost } from '../cgroup/cgroup.ts'
import { imageEnforcement } from '../image-root.ts'
import { findProgram } from '../find-program.ts'
import type { DriverReport } from '../port.ts'
import { cgroupEnforcement, enforced, notEnforced } from '../report.ts'
import { tryCommand } from '../try-command.ts'

export interface BubblewrapProbe {
  readonly report: DriverReport
  readonly cgroups: CgroupHost | undefined
  /** Guests can have a network namespace of their own. */
  readonly ownNetwork: boolean
  /** /tmp can be a file system of its own. */
  readonly scratch: boolean
}

/** Unprivileged user namespaces are what most machines lack: switched off by a setting or by the container around us. */
const USER_NAMESPACES =
  'unprivileged user namespaces do not work here; allow them (Debian: sysctl kernel.unprivileged_userns_clone=1, ' +
  'Ubuntu 24.04 and later: sysctl kernel.apparmor_restrict_unprivileged_userns=0) or leave the container'

export async function probeBubblewrap(): Promise<BubblewrapProbe> {
  const root = process.getuid?.() === 0
  const program = findProgram('bwrap')
  const cgroups = detectCgroups()
  const ownNetwork = findProgram('ip') !== undefined
  const unavailable = await whyNot(program, root)
  return {
    cgroups,
    ownNetwork,
    scratch: root && findProgram('mkfs.ext4') !== undefined,
    report: {
      driver: 'bubblewrap',
      unavailable,
      ...cgroupEnforcement(cgroups),
      tmpSize: enforced,
      openFiles: enforced,
      filesystem: enforced,
      images: unavailable === undefined ? await imageEnforcement() : notEnforced(unavailable),
      network: ownNetwork
        ? enforced
        : notEnforced('"ip" is not installed, so guests share the network of the host; install iproute2'),
    },
  }
}

async function whyNot(program: string | undefined, root: boolean): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'bubblewrap needs Linux'
  if (program === undefined)
    return '"bwrap" is not installed; install it (Debian and Ubuntu: apt-get install bubblewrap)'
  const unprivileged = root
    ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--']
    : ['unshare', '--user', '--map-root-user', '--mount', '--']
  const isolate = ['--unshare-user', '--unshare-pid', '--unshare-ipc', '--disable-userns', '--uid', '993']
  const failure = await tryCommand([
    ...unprivileged,
    program,
    ...isolate,
    '--ro-bind',
    '/',
    '/',
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    'true',
  ])
  return failure === undefined ? undefined : `bubblewrap does not run here (${failure}): ${USER_NAMESPACES}`
}
