/** One sandbox of an OCI runtime: a keeper holds its namespaces, and every run of the guest is put into them. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Confinement } from '../confinement.ts'
import type { DriverBase } from '../driver-base.ts'
import { confinedCommand } from '../host-command.ts'
import type { Launcher } from '../launched-sandbox.ts'
import type { Outbound } from '../outbound.ts'
import { makeImageRoot } from '../image-root.ts'
import { NO_HOME } from '../init/init-program.ts'
import type { BlankSpec, GuestCommand, SandboxOwner, SandboxSpec } from '../port.ts'
import { GUEST_USER, HOST_NAME, type RootFiles } from '../root-files.ts'
import { makeNetwork, type EndpointOptions } from '../sandbox-network.ts'
import { makeSharedDirectories } from '../shared-directories.ts'
import { makeShownPlace, showOwner, type ShownPlace } from '../shown-place.ts'
import type { Criu } from './criu.ts'
import { containerSnapshots, PIDS_ABOVE } from './snapshots.ts'
import { cgroupsPath, runtimeCommand, type OciRuntime } from './runtime-options.ts'
import { hostIdBase, ociConfig, ociProcess, type SandboxPlaces } from './config.ts'

const RUNTIME_DEADLINE_MS = 15_000

const PATHS = {
  task: '/var/task',
  opt: '/opt',
  runtime: '/var/runtime',
  lang: '/var/lang',
  tmp: '/tmp',
  compiled: '/var/cache',
} as const

export interface OciSandboxOptions extends EndpointOptions {
  readonly base: DriverBase
  readonly runtime: OciRuntime
  /** Of guests that have no image. */
  readonly rootFiles: RootFiles
  readonly nameServers: readonly string[]
  /** Without code it is a blank one. */
  readonly spec: SandboxSpec | BlankSpec
  readonly directory: string
  /** Of the spawner's, for what is shown in a blank one. */
  readonly place: string
  readonly confinement: Confinement
  /** False: /tmp is memory. */
  readonly scratch: boolean
  readonly outbound: Outbound
  /** Undefined: processes can't be kept here. */
  readonly snapshots: { readonly criu: Criu; readonly tools: SandboxPlaces['tools'] } | undefined
}

export interface Container {
  readonly launcher: Launcher
  /** For a blank one: shows the owner's files in it, with a /tmp of the owner's size. */
  become(owner: SandboxOwner): Promise<void>
  /** Where /tmp is mounted, unless it is memory of the container. */
  readonly tmp: string | undefined
}

/** Makes network, /tmp and container. What it made is removed by the sandbox's clean-up plan, also when it fails. */
export async function startContainer(options: OciSandboxOptions): Promise<Container> {
  const { base, runtime, spec, directory, confinement } = options
  const { spawner } = base
  const { snapshot } = spec
  if (snapshot && !options.snapshots) throw new Error('Processes can not be kept on this machine')
  const hostId = hostIdBase(spec)
  makeSharedDirectories(spec.shared, { uid: hostId + GUEST_USER.uid, gid: hostId + GUEST_USER.gid })
  const isBlank = !('task' in spec.files)
  const place = isBlank ? await makeShownPlace(base, options.place) : undefined
  const mountPoint = place?.tmp ?? join(directory, 'tmp')
  const cgroups = confinement.cgroup?.directories ?? []
  const makeTmp = async (name: string, sizeMiB: number) => {
    // In memory its size can't change; what a blank one is given is then all there is.
    if (!options.scratch) return undefined
    const uid = hostId + GUEST_USER.uid
    const gid = hostId + GUEST_USER.gid
    const image = join(directory, name)
    const copyOf = snapshot?.from === undefined ? {} : { copyOf: join(snapshot.from, 'tmp.img') }
    await spawner.request({ op: 'make-scratch', image, mountPoint, sizeMiB, uid, gid, ...copyOf })
    return mountPoint
  }

  const [rootFiles, tmp, network] = await Promise.all([
    spec.image === undefined
      ? options.rootFiles
      : makeImageRoot(base, {
          image: spec.image,
          surroundings: join(directory, 'surroundings'),
          target: join(options.place, 'root'),
          nameServers: options.nameServers,
        }),
    makeTmp('tmp.img', spec.limits.tmpMiB),
    makeNetwork(base, directory, { ...options, wanted: spec.network }),
  ])
  const bundle = join(directory, 'bundle')
  mkdirSync(bundle)
  const places: SandboxPlaces = {
    files: filesOf(spec, place),
    compiled: place?.compiled,
    followed: isBlank,
    network: runtime.leavesCgroups ? network.file : undefined,
    tmp,
    hostName: HOST_NAME,
    cgroups: cgroupsPath(runtime, spec.id),
    tools: snapshot && options.snapshots?.tools,
  }
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(ociConfig(spec, rootFiles, places)))
  const log = join(directory, 'runtime.log')
  const [program = '', ...runtimeWords] = runtimeCommand(runtime, network.file)
  const common = [...runtimeWords, '--log', log]
  const keeperFile = join(directory, 'keeper.pid')
  const { code } = await spawner.request({
    op: 'execute',
    tool: program === runtime.program ? 'crun' : 'nsenter',
    args: [...common, 'run', '--detach', '--bundle', bundle, '--pid-file', keeperFile, spec.id],
    cgroups,
    deadlineMs: RUNTIME_DEADLINE_MS,
  })
  if (code !== 0) throw new Error(`The container did not start: ${lastLine(log)}`)
  const keeper = Number(readFileSync(keeperFile, 'utf8'))
  // So that they are free when the process is continued in another sandbox.
  if (snapshot && snapshot.from === undefined)
    await spawner.request({ op: 'raise-pids', keeper, above: PIDS_ABOVE })

  /** What is kept must lead its own session. */
  const leader = snapshot ? ['setsid'] : []
  const launcher: Launcher = {
    paths: PATHS,
    signalsAsCodes: !spawner.native,
    // Orphans of the guest are the keeper's children too, but only its own run as root inside.
    spared: () => [keeper, ...childrenOf(keeper).filter((pid) => ownerOf(pid) === hostId)],
    explain: () => lastLine(log),
    pipeOwner: hostId + GUEST_USER.uid,
    listen: network.listen,
    listenOnLoopback: network.listenOnLoopback,
    snapshots:
      snapshot &&
      options.snapshots &&
      containerSnapshots({
        spawner,
        criu: options.snapshots.criu,
        keeper,
        directory,
        cgroups,
        uid: hostId,
        scratch: tmp === undefined ? undefined : { image: join(directory, 'tmp.img'), mountPoint: tmp },
      }),
    connect: network.connect,
    close: network.close,
    launch(command, run) {
      const file = join(directory, `run-${run}`, 'process.json')
      const pidFile = join(directory, `run-${run}`, 'pid')
      const inside = {
        ...startedInside(rootFiles.init, { ...command, argv: [...leader, ...command.argv] }),
        cwd: command.cwd,
        openFiles: spec.limits.openFiles,
      }
      writeFileSync(file, JSON.stringify(ociProcess(inside)))
      return {
        argv: confinedCommand({
          argv: [
            program,
            ...common,
            'exec',
            ...(spawner.native ? ['--detach'] : []),
            ...(command.control ? ['--preserve-fds=1'] : []),
            '--process',
            file,
            '--pid-file',
            pidFile,
            spec.id,
          ],
          cgroups,
        }),
        env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
        cwd: '/',
        stdin: 'closed-pipe' as const,
        main: spawner.native
          ? ({ kind: 'pid-file', path: pidFile } as const)
          : ({ kind: 'descendant', generations: 1 } as const),
      }
    },
  }
  return {
    launcher,
    tmp,
    async become(owner) {
      if (!place) throw new Error('A sandbox with code belongs to a function already')
      if (owner.limits.tmpMiB !== spec.limits.tmpMiB && !options.scratch)
        throw new Error('A /tmp in memory can not change its size')
      // On top of the first one, which stays below, empty.
      if (owner.limits.tmpMiB !== spec.limits.tmpMiB) await makeTmp('tmp-of-owner.img', owner.limits.tmpMiB)
      await showOwner(base, place, owner)
    },
  }
}

const filesOf = ({ files }: SandboxSpec | BlankSpec, place: ShownPlace | undefined): SandboxPlaces['files'] =>
  'task' in files ? files : { ...files, task: place?.task, opt: place?.opt }

/** What starts the command inside: our init program in an image, elsewhere a shell. */
function startedInside(
  init: string | undefined,
  { argv, env }: GuestCommand,
): Pick<GuestCommand, 'argv' | 'env'> {
  if (init === undefined) return { argv: ['/bin/sh', '-c', insideScript(env), 'sh', ...argv], env }
  return { argv: [init, ...argv], env: { HOME: NO_HOME, ...env } }
}

/**
 * A shell says "not found" by exit code 127, as every other driver does. Standard input is opened only in here: the
 * runtime makes the guest's user the owner of what it gets as standard streams, and that would be the host's /dev/null.
 */
const insideScript = (env: Readonly<Record<string, string>>) =>
  // Runtimes add HOME when it is missing.
  `${'HOME' in env ? '' : 'unset HOME; '}exec "$@" </dev/null`

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number)
  } catch {
    return []
  }
}

function ownerOf(pid: number): number | undefined {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid
}

function lastLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim().split('\n').at(-1) ?? ''
  } catch {
    return 'it said nothing'
  }
}
