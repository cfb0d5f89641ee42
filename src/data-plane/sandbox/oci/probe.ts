/** Can this machine run the OCI driver, and what does it enforce here? Starts a container once to know. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { detectCgroups } from '../cgroup/detect.ts'
import { findProgram } from '../find-program.ts'
import { imageEnforcement } from '../image-root.ts'
import { outboundObstacle } from '../outbound.ts'
import type { DriverReport } from '../port.ts'
import { cgroupEnforcement, enforced, notEnforced } from '../report.ts'
import { HOST_NAME, makeRoot } from '../root-files.ts'
import { HIDE_HYBRID } from '../spawner/client.ts'
import { tryCommand } from '../try-command.ts'
import { findCriu, type Criu } from './criu.ts'
import { cgroupsPath, describeOciRuntime, runtimeArguments } from './runtime-options.ts'
import { ociConfig, ociProcess } from './config.ts'

export interface OciProbe {
  readonly report: DriverReport
  /** /tmp can be a file system of its own. */
  readonly scratch: boolean
  /** For the report, when it can't. */
  readonly scratchNotes: readonly string[]
  /** Undefined: processes can't be kept here. */
  readonly criu: Criu | undefined
}

const PROBE_ID = 'a0000000'

export async function probeOci(options: {
  readonly runtime?: string
  readonly criu?: string
}): Promise<OciProbe> {
  const name = options.runtime ?? 'crun'
  const cgroups = detectCgroups()
  const scratch = findProgram('mkfs.ext4') !== undefined && existsSync('/dev/loop-control')
  const obstacle = outboundObstacle()
  const scratchNotes = scratch
    ? []
    : [
        '/tmp is memory and counts against the memory of the function: no loop devices, or e2fsprogs is missing',
      ]
  const outboundNotes =
    obstacle === undefined ? [] : [`functions have no way out to the internet: ${obstacle}`]
  const unavailable =
    obstacleOf(name) ??
    (cgroups === undefined
      ? 'no control group can be used here: /sys/fs/cgroup must be writable (in a container: privileged, or with its own cgroup namespace)'
      : await tryContainer(findProgram(name) ?? name))
  const criu = scratch ? await findCriu(options.criu ?? 'criu') : { why: '/tmp is memory here' }
  return {
    scratch,
    scratchNotes,
    criu: 'why' in criu ? undefined : criu,
    report: {
      driver: 'oci',
      unavailable,
      ...cgroupEnforcement(cgroups),
      tmpSize: enforced,
      openFiles: enforced,
      filesystem: enforced,
      network: enforced,
      images: unavailable === undefined ? await imageEnforcement() : notEnforced(unavailable),
      snapshots: 'why' in criu ? notEnforced(criu.why) : enforced,
      notes: [...scratchNotes, ...outboundNotes],
    },
  }
}

function obstacleOf(runtime: string): string | undefined {
  if (process.platform !== 'linux') return 'OCI runtimes need Linux'
  if (process.getuid?.() !== 0) return 'OCI sandboxes need root; run as root, or use bubblewrap without'
  if (findProgram(runtime) === undefined)
    return `"${runtime}" is not installed (Debian and Ubuntu: apt-get install crun)`
  for (const [program, name] of [
    ['ip', 'iproute2'],
    ['unshare', 'util-linux'],
  ] as const)
    if (findProgram(program) === undefined)
      return `"${program}" is not installed (Debian and Ubuntu: apt-get install ${name})`
  return undefined
}

/** Runs `true` in a container like a guest's. Undefined when it ended well, else why not. */
async function tryContainer(program: string): Promise<string | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'lambent-probe-'))
  try {
    // The container's users are not ours and must be able to walk in.
    chmodSync(directory, 0o755)
    const root = makeRoot(join(directory, 'root'), { nameServers: [] })
    const bundle = join(directory, 'bundle')
    mkdirSync(bundle)
    const limits = { memoryMiB: 64, vcpus: 1, tmpMiB: 1, openFiles: 64, processes: 16 }
    const files = { task: '/usr', opt: undefined, runtime: undefined, lang: undefined }
    const described = describeOciRuntime(program, join(directory, 'state'))
    const places = {
      files,
      compiled: undefined,
      followed: true,
      network: undefined,
      tmp: undefined,
      hostName: HOST_NAME,
      cgroups: cgroupsPath(described, PROBE_ID),
    }
    const config = ociConfig({ id: PROBE_ID, limits }, root, places)
    const process = ociProcess({ argv: ['/bin/true'], env: {}, cwd: '/', openFiles: limits.openFiles })
    writeFileSync(join(bundle, 'config.json'), JSON.stringify({ ...config, process }))
    const runtime = [program, ...runtimeArguments(described)]
    const enter = [
      'unshare',
      '--mount',
      '--propagation',
      'slave',
      '--',
      'sh',
      '-c',
      `${HIDE_HYBRID}; exec "$@"`,
      'sh',
    ]
    const run = ['run', '--bundle', bundle, `lambent-probe-${PROBE_ID}`]
    const failure = await tryCommand([...enter, ...runtime, ...run])
    return failure === undefined ? undefined : `"${program}" does not run a container here: ${failure}`
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
