/** Isolation by bubblewrap: namespaces and a read-only root, with root and without. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { cgroupPlan } from '../cgroup/plan.ts'
import { createCgroupConfinement, createPollingConfinement } from '../confinement.ts'
import { createBlankSandbox } from '../blank-sandbox.ts'
import { createDriverBase, type DriverOptions, type SandboxMaking } from '../driver-base.ts'
import { findProgram } from '../find-program.ts'
import { confinedCommand } from '../host-command.ts'
import { createLaunchedSandbox, type Launcher } from '../launched-sandbox.ts'
import { hostIdBase } from '../oci/config.ts'
import { makeImageRoot } from '../image-root.ts'
import { createOutbound, type Outbound } from '../outbound.ts'
import type { BlankSpec, SandboxDriver, SandboxOwner, SandboxSpec } from '../port.ts'
import { GUEST_USER, hostNameServers, makeRoot } from '../root-files.ts'
import { endpointUrl, makeNetwork, type EndpointOptions } from '../sandbox-network.ts'
import { makeSharedDirectories } from '../shared-directories.ts'
import { PRIVATE_PLACE } from '../spawner/client.ts'
import { argumentFile } from './command.ts'
import { makePlaces } from './places.ts'
import { probeBubblewrap } from './probe.ts'

const PATHS = {
  task: '/var/task',
  opt: '/opt',
  runtime: '/var/runtime',
  lang: '/var/lang',
  tmp: '/tmp',
  compiled: '/var/cache',
} as const
/** The monitor outside, its process 1 inside, the guest's main process. */
const GENERATIONS = 2
const MARKER = '_LAMBENT_SANDBOX'
const HOST_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Rejects with what is missing when this machine can't. */
export async function createBubblewrapDriver(
  options: DriverOptions & EndpointOptions,
): Promise<SandboxDriver> {
  const { report, cgroups, ownNetwork, scratch } = await probeBubblewrap()
  if (report.unavailable !== undefined) throw new Error(report.unavailable)
  const program = findProgram('bwrap') ?? 'bwrap'
  const root = process.getuid?.() === 0
  const stateDirectory = resolve(options.stateDirectory)
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 })
  const wanted = ownNetwork ? (options.network ?? 'auto') : 'host'
  const nameServers = hostNameServers({ loopbackToo: wanted === 'host' })
  const rootFiles = makeRoot(join(stateDirectory, 'root'), { nameServers })
  /** Users that guests run as may not walk to our directories; without root there are no other users. */
  const placeOf = (id: string, directory: string) =>
    root ? join(PRIVATE_PLACE, id) : join(directory, 'place')
  const shownRoot = root ? { ...rootFiles, directory: join(PRIVATE_PLACE, 'root') } : rootFiles

  let outbound: Outbound | undefined
  const chosen = () => {
    if (!outbound) throw new Error('The driver has not started')
    return outbound
  }
  const assemble = async (spec: SandboxSpec | BlankSpec, making: SandboxMaking) => {
    const { base, directory, onDestroyed } = making
    const confinement = cgroups
      ? createCgroupConfinement(cgroups, spec.id, spec.limits, options.clock)
      : createPollingConfinement({
          limits: spec.limits,
          clock: options.clock,
          onExceeded: () => {
            base.spawner.request({ op: 'kill', directory, spare: [] }).catch(() => {})
          },
        })
    if ('background' in spec && spec.background) confinement.prioritise('low')
    const uid = hostIdBase(spec) + GUEST_USER.uid
    makeSharedDirectories(spec.shared, root ? { uid, gid: uid } : undefined)
    const [guestRoot, places, network] = await Promise.all([
      spec.image === undefined
        ? shownRoot
        : makeImageRoot(base, {
            image: spec.image,
            surroundings: join(directory, 'surroundings'),
            target: join(placeOf(spec.id, directory), 'root'),
            nameServers,
          }),
      makePlaces(base, spec, {
        directory,
        place: placeOf(spec.id, directory),
        uid: root ? uid : undefined,
        scratch,
      }),
      makeNetwork(base, directory, { ...options, spec, outbound: chosen(), wanted: spec.network }),
    ])
    const launcher: Launcher = {
      paths: PATHS,
      signalsAsCodes: true,
      spared: () => [],
      ...(root && { pipeOwner: uid }),
      listen: network.listen,
      connect: network.connect,
      close: network.close,
      launch(command, run) {
        const file = join(directory, `run-${run}`, 'arguments')
        writeFileSync(file, argumentFile({ ...places, root: guestRoot }, command), { mode: 0o600 })
        const descriptor = command.control ? 4 : 3
        const enter = network.file ? ['nsenter', `--net=${network.file}`, '--'] : []
        const drop = root ? ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--'] : []
        // A shell says "not found" by exit code 127, as every other driver does.
        const starter = guestRoot.init === undefined ? ['/bin/sh', '-c', 'exec "$@"', 'sh'] : [guestRoot.init]
        const wrap = [program, '--args', String(descriptor), '--', ...starter, ...command.argv]
        return {
          argv: confinedCommand({
            argv: [...enter, ...drop, ...wrap],
            cgroups: confinement.cgroup?.directories ?? [],
            openFiles: spec.limits.openFiles,
          }),
          env: { PATH: HOST_PATH, [MARKER]: spec.id },
          cwd: '/',
          argumentFile: file,
          main: { kind: 'descendant', generations: GENERATIONS },
        }
      },
    }
    return {
      id: spec.id,
      directory,
      spawner: base.spawner,
      door: base.door,
      confinement,
      clock: options.clock,
      onDestroyed,
      launcher,
      tmp: places.tmp,
      become: (owner: SandboxOwner) => places.become(owner),
    }
  }
  return createDriverBase({
    ...options,
    place: root ? 'mount-namespace' : wanted === 'host' ? 'user-namespace' : 'user-and-network-namespace',
    report: () => ({ ...report, notes: [...(report.notes ?? []), chosen().note] }),
    async onStart(base) {
      outbound = await createOutbound({ base, wanted, stateDirectory, logger: options.logger })
    },
    cgroups,
    plan: (id, directory) => ({
      ...cgroupPlan(cgroups, id),
      place: placeOf(id, directory),
      marker: cgroups ? undefined : `${MARKER}=${id}`,
    }),
    endpointFor: (port) => endpointUrl(chosen().mode, port),
    create: async (spec, making) => createLaunchedSandbox(await assemble(spec, making)),
    createBlank: async (spec, making) => createBlankSandbox(await assemble(spec, making)),
  })
}
