/** Full isolation by an OCI runtime (crun): every namespace, a user range of its own, system call filter, limits. */
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { detectCgroups } from '../cgroup/detect.ts'
import { cgroupPlan } from '../cgroup/plan.ts'
import { createCgroupConfinement } from '../confinement.ts'
import { createDriverBase, type DriverOptions } from '../driver-base.ts'
import { findProgram } from '../find-program.ts'
import { createLaunchedSandbox } from '../launched-sandbox.ts'
import { createOutbound, type Outbound } from '../outbound.ts'
import type { SandboxDriver } from '../port.ts'
import { hostNameServers, makeRoot } from '../root-files.ts'
import { endpointUrl, type EndpointOptions } from '../sandbox-network.ts'
import { PRIVATE_PLACE } from '../spawner/client.ts'
import { startContainer, type OciRuntime } from './oci-sandbox.ts'
import { probeOci } from './probe.ts'

export interface OciDriverOptions extends DriverOptions, EndpointOptions {
  /** Program name or path; crun when not given, runc works too. */
  readonly runtime?: string
}

/** Rejects with what is missing when this machine can't. */
export async function createOciDriver(options: OciDriverOptions): Promise<SandboxDriver> {
  const { report, scratch, scratchNotes } = await probeOci(options)
  if (report.unavailable !== undefined) throw new Error(report.unavailable)
  const cgroups = detectCgroups()
  const program = findProgram(options.runtime ?? 'crun')
  if (!cgroups || program === undefined) throw new Error('The machine changed while it was probed')
  const stateDirectory = resolve(options.stateDirectory)
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 })
  const runtime: OciRuntime = { program, root: join(stateDirectory, 'runtime') }
  const rootFiles = makeRoot(join(stateDirectory, 'root'), {
    nameServers: hostNameServers({ loopbackToo: options.network === 'host' }),
  })
  // The directory itself may lie where the guest's user can't walk in; the spawner shows it at another place.
  const shownRoot = { ...rootFiles, directory: join(PRIVATE_PLACE, 'root') }

  let outbound: Outbound | undefined
  const chosen = () => {
    if (!outbound) throw new Error('The driver has not started')
    return outbound
  }
  return createDriverBase({
    ...options,
    place: 'mount-namespace',
    spawnerEnv: { LAMBENT_OCI_RUNTIME: program },
    report: () => ({ ...report, notes: [...scratchNotes, chosen().note] }),
    async onStart(base) {
      outbound = await createOutbound({
        base,
        wanted: options.network ?? 'auto',
        stateDirectory,
        logger: options.logger,
      })
    },
    cgroups,
    plan: (spec) => ({ ...cgroupPlan(cgroups, spec.id), container: runtime }),
    endpointFor: (port) => endpointUrl(chosen().mode, port),
    async create(base, spec, directory, onDestroyed) {
      const confinement = createCgroupConfinement(cgroups, spec.id, spec.limits, options.clock)
      const launcher = await startContainer({
        base,
        runtime,
        rootFiles: shownRoot,
        spec,
        directory,
        confinement,
        scratch,
        outbound: chosen(),
        endpointPorts: options.endpointPorts,
        onEndpointConnection: options.onEndpointConnection,
      })
      return createLaunchedSandbox({
        id: spec.id,
        directory,
        spawner: base.spawner,
        door: base.door,
        confinement,
        clock: options.clock,
        onDestroyed,
        launcher,
      })
    },
  })
}
