/** No isolation at all: the guest is an ordinary process of this user. For machines that offer nothing better. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import type { CgroupHost } from '../cgroup/cgroup.ts'
import { detectCgroups } from '../cgroup/detect.ts'
import { createCgroupConfinement, createPollingConfinement, type Confinement } from '../confinement.ts'
import { createDriverBase, type DriverOptions } from '../driver-base.ts'
import { confinedCommand } from '../host-command.ts'
import { createLaunchedSandbox } from '../launched-sandbox.ts'
import { listenOnLoopback } from '../listen-on-loopback.ts'
import type { DriverReport, SandboxDriver, SandboxSpec } from '../port.ts'
import { cgroupPlan } from '../cgroup/plan.ts'
import { cgroupEnforcement, enforced, notEnforced } from '../report.ts'

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
    plan: (spec) => ({ ...cgroupPlan(cgroups, spec.id), marker: marker(spec.id) }),
    async create({ spawner, door }, spec, directory, onDestroyed) {
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
      return createLaunchedSandbox({
        id: spec.id,
        directory,
        spawner,
        door,
        confinement,
        clock: options.clock,
        onDestroyed,
        launcher: {
          paths: hostPaths(spec, directory),
          signalsAsCodes: false,
          spared: () => [],
          listen: listenOnLoopback,
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
        },
      })
    },
  })
}

function hostPaths({ files }: SandboxSpec, directory: string) {
  const empty = join(directory, EMPTY)
  return {
    task: files.task,
    opt: files.opt ?? empty,
    runtime: files.runtime ?? empty,
    lang: files.lang ?? empty,
    tmp: join(directory, 'tmp'),
  }
}
