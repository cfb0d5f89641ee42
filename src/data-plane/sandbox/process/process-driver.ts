/** No isolation at all: the guest is an ordinary process of this user. For machines that offer nothing better. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import type { CgroupHost } from '../cgroup/cgroup.ts'
import { detectCgroups } from '../cgroup/detect.ts'
import { createCgroupConfinement, createPollingConfinement, type Confinement } from '../confinement.ts'
import { createBlankSandbox } from '../blank-sandbox.ts'
import { createDriverBase, type DriverOptions, type SandboxMaking } from '../driver-base.ts'
import { confinedCommand } from '../host-command.ts'
import { createLaunchedSandbox, type Launcher } from '../launched-sandbox.ts'
import { connectToLoopback, listenOnLoopback } from '../loopback.ts'
import type {
  BlankSpec,
  DriverReport,
  GuestPaths,
  SandboxDriver,
  SandboxOwner,
  SandboxSpec,
  GuestFiles,
} from '../port.ts'
import { cgroupPlan } from '../cgroup/plan.ts'
import { cgroupEnforcement, enforced, notEnforced } from '../report.ts'
import { assertOpen } from '../sandbox-network.ts'

/** Marks the guest's processes where no cgroup holds them. */
const MARKER = '_LAMBENT_SANDBOX'
const EMPTY = 'empty'

export function processReport(cgroups: CgroupHost | undefined): DriverReport {
  const nothing = 'this driver isolates nothing; install bubblewrap, or crun and run as root'
  return {
    driver: 'process',
    ...cgroupEnforcement(cgroups),
    tmpSize: notEnforced('/tmp is an ordinary directory of the host'),
    openFiles: enforced,
    filesystem: notEnforced(nothing),
    network: notEnforced(nothing),
  }
}

export function createProcessDriver(options: DriverOptions): Promise<SandboxDriver> {
  const cgroups = detectCgroups()
  const marker = (id: string) => (cgroups ? undefined : `${MARKER}=${id}`)
  return createDriverBase({
    ...options,
    place: 'host',
    report: () => processReport(cgroups),
    cgroups,
    plan: (id) => ({ ...cgroupPlan(cgroups, id), marker: marker(id) }),
    create: async (spec, making) => createLaunchedSandbox(assemble(spec, making)),
    createBlank: async (spec, making) => createBlankSandbox(assemble(spec, making)),
  })

  function assemble(spec: SandboxSpec | BlankSpec, making: SandboxMaking) {
    const { base, directory, onDestroyed } = making
    const { spawner, door } = base
    assertOpen(spec.network)
    if (spec.shared?.length) throw new Error('Without isolation there is nothing to mount a file system in')
    if (spec.image !== undefined)
      throw new Error('Without isolation a container image is no root for a guest')
    mkdirSync(join(directory, 'tmp'), { mode: 0o700 })
    mkdirSync(join(directory, EMPTY))
    const confinement: Confinement = cgroups
      ? createCgroupConfinement(cgroups, spec.id, spec.limits, options.clock)
      : createPollingConfinement({
          limits: spec.limits,
          clock: options.clock,
          onExceeded: () => {
            spawner.request({ op: 'kill', directory, spare: [] }).catch(() => {})
          },
        })
    if ('background' in spec && spec.background) confinement.prioritise('low')
    let paths = hostPaths(
      'task' in spec.files ? spec.files : { ...spec.files, task: undefined, opt: undefined },
      directory,
    )
    const launcher: Launcher = {
      get paths() {
        return paths
      },
      signalsAsCodes: false,
      spared: () => [],
      listen: listenOnLoopback,
      connect: connectToLoopback,
      launch: (command) => ({
        argv: confinedCommand({
          argv: command.argv,
          cgroups: confinement.cgroup?.directories ?? [],
          openFiles: spec.limits.openFiles,
        }),
        env: cgroups ? command.env : { ...command.env, [MARKER]: spec.id },
        cwd: command.cwd,
        main: { kind: 'child' },
      }),
    }
    return {
      id: spec.id,
      directory,
      spawner,
      door,
      confinement,
      clock: options.clock,
      onDestroyed,
      launcher,
      tmp: join(directory, 'tmp'),
      // Nothing is mounted: the guest is told other paths.
      async become({ files }: SandboxOwner) {
        paths = hostPaths({ ...spec.files, ...files }, directory)
      },
    }
  }
}

function hostPaths(
  files: GuestFiles & Pick<SandboxOwner['files'], 'compiled'>,
  directory: string,
): GuestPaths {
  const empty = join(directory, EMPTY)
  return {
    task: files.task ?? empty,
    opt: files.opt ?? empty,
    runtime: files.runtime ?? empty,
    lang: files.lang ?? empty,
    tmp: join(directory, 'tmp'),
    compiled: files.compiled ?? empty,
  }
}
