/** Can this machine run the OCI driver, and what does it enforce here? */
import { detectCgroups } from '../cgroup/detect.ts'
import { findProgram } from '../find-program.ts'
import type { DriverReport } from '../port.ts'
import { cgroupEnforcement, enforced } from '../report.ts'

export interface OciProbe {
  readonly report: DriverReport
  /** /tmp can be a file system of its own. */
  readonly scratch: boolean
}

export async function probeOci(options: { readonly runtime?: string }): Promise<OciProbe> {
  const runtime = options.runtime ?? 'crun'
  const cgroups = detectCgroups()
  const scratch = findProgram('mkfs.ext4') !== undefined
  const unavailable =
    process.platform !== 'linux'
      ? 'OCI runtimes need Linux'
      : process.getuid?.() !== 0
        ? 'OCI sandboxes need root; run as root, or use bubblewrap without'
        : findProgram(runtime) === undefined
          ? `"${runtime}" is not installed; install it (Debian and Ubuntu: apt-get install crun)`
          : findProgram('ip') === undefined
            ? '"ip" is not installed; install it (Debian and Ubuntu: apt-get install iproute2)'
            : cgroups === undefined
              ? 'no control group can be used here: mount /sys/fs/cgroup writable (a container needs --privileged or --cgroupns=private)'
              : undefined
  return {
    scratch,
    report: {
      driver: 'oci',
      unavailable,
      ...cgroupEnforcement(cgroups),
      tmpSize: enforced,
      openFiles: enforced,
      filesystem: enforced,
      network: enforced,
    },
  }
}
