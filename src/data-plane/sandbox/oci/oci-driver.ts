/** Full isolation by an OCI runtime (crun): every namespace, a user range of its own, system call filter, limits. */
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { detectCgroups } from '../cgroup/detect.ts'
import { cgroupPlan } from '../cgroup/plan.ts'
import { createCgroupConfinement } from '../confinement.ts'
import { createBlankSandbox } from '../blank-sandbox.ts'
import { createDriverBase, type DriverBase, type DriverOptions, type SandboxMaking } from '../driver-base.ts'
import { findProgram } from '../find-program.ts'
import { createLaunchedSandbox } from '../launched-sandbox.ts'
import { createOutbound, type Outbound } from '../outbound.ts'
import type { BlankSpec, SandboxDriver, SandboxSpec } from '../port.ts'
import { notEnforced } from '../report.ts'
import { hostNameServers, makeRoot } from '../root-files.ts'
import { endpointUrl, type EndpointOptions } from '../sandbox-network.ts'
import { PRIVATE_PLACE } from '../spawner/client.ts'
import { prefixPlace, SNAPSHOT_TOOLS, type Criu } from './criu.ts'
import { describeOciRuntime } from './runtime-options.ts'
import { startContainer, type OciSandboxOptions } from './oci-sandbox.ts'
import { probeOci } from './probe.ts'

export interface OciDriverOptions extends DriverOptions, EndpointOptions {
  /** Program name or path; crun when not given, runc works too. */
  readonly runtime?: string
  /** CRIU, for snapshots; `criu` when not given. */
  readonly criu?: string
}

/** Rejects with what is missing when this machine can't. */
export async function createOciDriver(options: OciDriverOptions): Promise<SandboxDriver> {
  const { report: probed, scratch, scratchNotes, criu } = await probeOci(options)
  if (probed.unavailable !== undefined) throw new Error(probed.unavailable)
  const cgroups = detectCgroups()
  const program = findProgram(options.runtime ?? 'crun')
  if (!cgroups || program === undefined) throw new Error('The machine changed while it was probed')
  const stateDirectory = resolve(options.stateDirectory)
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 })
  const runtime = describeOciRuntime(program, join(stateDirectory, 'runtime'))
  const nameServers = hostNameServers({ loopbackToo: options.network === 'host' })
  const rootFiles = makeRoot(join(stateDirectory, 'root'), { nameServers })
  // The directory itself may lie where the guest's user can't walk in; the spawner shows it at another place.
  const shownRoot = { ...rootFiles, directory: join(PRIVATE_PLACE, 'root') }

  let report = probed
  let snapshots: OciSandboxOptions['snapshots']
  let outbound: Outbound | undefined
  const chosen = () => {
    if (!outbound) throw new Error('The driver has not started')
    return outbound
  }
  const placeOf = (id: string) => join(PRIVATE_PLACE, id)
  const assemble = async (spec: SandboxSpec | BlankSpec, making: SandboxMaking) => {
    const { base, directory, onDestroyed } = making
    const confinement = createCgroupConfinement(cgroups, spec.id, spec.limits, options.clock)
    if ('background' in spec && spec.background) confinement.prioritise('low')
    const container = await startContainer({
      base,
      runtime,
      rootFiles: shownRoot,
      nameServers,
      spec,
      directory,
      place: placeOf(spec.id),
      confinement,
      scratch,
      snapshots,
      outbound: chosen(),
      endpointPorts: options.endpointPorts,
      onEndpointConnection: options.onEndpointConnection,
    })
    return {
      ...container,
      id: spec.id,
      directory,
      spawner: base.spawner,
      door: base.door,
      confinement,
      clock: options.clock,
      onDestroyed,
    }
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
      if (!criu) return
      try {
        snapshots = { criu, tools: await placeTools(base, criu) }
      } catch (error) {
        report = { ...report, snapshots: notEnforced(error instanceof Error ? error.message : String(error)) }
      }
    },
    cgroups,
    plan: (id) => ({ ...cgroupPlan(cgroups, id), container: runtime, place: placeOf(id) }),
    endpointFor: (port) => endpointUrl(chosen().mode, port),
    async create(spec, making) {
      return createLaunchedSandbox(await assemble(spec, making))
    },
    async createBlank(spec, making) {
      return createBlankSandbox(await assemble(spec, making))
    },
  })
}

const TOOLS_MIB = 4

/** A directory in memory for /run of sandboxes: what CRIU knows of the kernel, and CRIU where it is not the system's. */
async function placeTools({ spawner }: DriverBase, { program, prefix }: Criu) {
  if (!spawner.native) throw new Error('snapshots need system calls that this Node does not have')
  const place = join(PRIVATE_PLACE, 'run')
  await spawner.request({ op: 'mount-memory', target: place, sizeMiB: TOOLS_MIB })
  await spawner.request({ op: 'prepare-snapshots', place, program })
  const tools = [{ source: place, target: SNAPSHOT_TOOLS }]
  if (prefix === undefined) return tools
  await spawner.request({ op: 'bind', mounts: [{ source: prefix, target: prefixPlace(place) }] })
  return [...tools, { source: prefixPlace(place), target: prefixPlace(SNAPSHOT_TOOLS) }]
}
