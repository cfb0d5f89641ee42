/** Isolation by bubblewrap: namespaces and a read-only root, with root and without. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { cgroupPlan } from '../cgroup/plan.ts'
import { createCgroupConfinement, createPollingConfinement } from '../confinement.ts'
import { createDriverBase, type DriverBase, type DriverOptions } from '../driver-base.ts'
import { findProgram } from '../find-program.ts'
import { confinedCommand } from '../host-command.ts'
import { createLaunchedSandbox } from '../launched-sandbox.ts'
import { hostIdBase } from '../oci/config.ts'
import { createOutbound, type Outbound } from '../outbound.ts'
import type { SandboxDriver, SandboxSpec } from '../port.ts'
import { GUEST_USER, hostNameServers, makeRoot } from '../root-files.ts'
import { endpointUrl, hostNetwork, makeSandboxNetwork, type EndpointOptions } from '../sandbox-network.ts'
import { PRIVATE_PLACE } from '../spawner/client.ts'
import { argumentFile, hostFiles, type BubblewrapPlaces } from './command.ts'
import { probeBubblewrap } from './probe.ts'

const PATHS = {
  task: '/var/task',
  opt: '/opt',
  runtime: '/var/runtime',
  lang: '/var/lang',
  tmp: '/tmp',
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
  const rootFiles = makeRoot(join(stateDirectory, 'root'), {
    nameServers: hostNameServers({ loopbackToo: wanted === 'host' }),
  })
  const placeOf = (id: string) => join(PRIVATE_PLACE, id)

  let outbound: Outbound | undefined
  const chosen = () => {
    if (!outbound) throw new Error('The driver has not started')
    return outbound
  }
  return createDriverBase({
    ...options,
    place: root ? 'mount-namespace' : wanted === 'host' ? 'user-namespace' : 'user-and-network-namespace',
    report: () => ({ ...report, notes: [...(report.notes ?? []), chosen().note] }),
    async onStart(base) {
      outbound = await createOutbound({ base, wanted, stateDirectory, logger: options.logger })
    },
    cgroups,
    plan: ({ id }) => ({
      ...cgroupPlan(cgroups, id),
      ...(root ? { place: placeOf(id) } : {}),
      marker: cgroups ? undefined : `${MARKER}=${id}`,
    }),
    endpointFor: (port) => endpointUrl(chosen().mode, port),
    async create(base, spec, directory, onDestroyed) {
      const confinement = cgroups
        ? createCgroupConfinement(cgroups, spec.id, spec.limits, options.clock)
        : createPollingConfinement({
            limits: spec.limits,
            clock: options.clock,
            onExceeded: () => {
              base.spawner.request({ op: 'kill', directory, spare: [] }).catch(() => {})
            },
          })
      const uid = hostIdBase(spec.id) + GUEST_USER.uid
      const [places, network] = await Promise.all([
        root
          ? showFiles(base, spec, { directory, place: placeOf(spec.id), uid, scratch })
          : mountTmp(base, spec, join(directory, 'tmp')),
        chosen().mode === 'host'
          ? hostNetwork
          : makeSandboxNetwork(base, directory, { ...options, outbound: chosen().plan(spec.id) }),
      ])
      const shownRoot = root ? { ...rootFiles, directory: join(PRIVATE_PLACE, 'root') } : rootFiles
      return createLaunchedSandbox({
        id: spec.id,
        directory,
        spawner: base.spawner,
        door: base.door,
        confinement,
        clock: options.clock,
        onDestroyed,
        launcher: {
          paths: PATHS,
          signalsAsCodes: true,
          spared: () => [],
          pipeOwner: root ? uid : undefined,
          listen: network.listen,
          close: network.close,
          launch(command, run) {
            const file = join(directory, `run-${run}`, 'arguments')
            writeFileSync(file, argumentFile({ ...places, root: shownRoot }, command), { mode: 0o600 })
            const descriptor = command.control ? 4 : 3
            const enter = network.file ? ['nsenter', `--net=${network.file}`, '--'] : []
            const drop = root ? ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--'] : []
            // A shell says "not found" by exit code 127, as every other driver does.
            const shell = ['/bin/sh', '-c', 'exec "$@"', 'sh']
            const wrap = [program, '--args', String(descriptor), '--', ...shell, ...command.argv]
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
        },
      })
    },
  })
}

type Places = Omit<BubblewrapPlaces, 'root'>

/** The user that guests run as may not walk to our directories: they are shown where it may. */
async function showFiles(
  base: DriverBase,
  spec: SandboxSpec,
  options: {
    readonly directory: string
    readonly place: string
    readonly uid: number
    readonly scratch: boolean
  },
): Promise<Places> {
  const { directory, place, uid } = options
  const shown = Object.entries(spec.files).filter(([, source]) => source !== undefined)
  const mounts = shown.map(([name, source]) => ({ source, target: join(place, name) }))
  await base.spawner.request({ op: 'bind', mounts })
  const at = (source: string | undefined, name: string) =>
    source === undefined ? undefined : join(place, name)
  const files = {
    task: join(place, 'task'),
    opt: at(spec.files.opt, 'opt'),
    runtime: at(spec.files.runtime, 'runtime'),
    lang: at(spec.files.lang, 'lang'),
  }
  const tmp = join(place, 'tmp')
  const sizeMiB = spec.limits.tmpMiB
  if (options.scratch) {
    const image = join(directory, 'tmp.img')
    await base.spawner.request({ op: 'make-scratch', image, mountPoint: tmp, sizeMiB, uid, gid: uid })
  } else await base.spawner.request({ op: 'mount-memory', target: tmp, sizeMiB })
  return { ...files, tmp }
}

async function mountTmp(base: DriverBase, spec: SandboxSpec, tmp: string): Promise<Places> {
  await base.spawner.request({ op: 'mount-memory', target: tmp, sizeMiB: spec.limits.tmpMiB })
  return { ...hostFiles(spec), tmp }
}
