/** What drivers are made of: the spawner, the door for control sockets, and the register of living sandboxes. */
import { chmodSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

import type { Clock } from '#kernel/clock.ts'
import { systemRandom, type Random } from '#kernel/random.ts'
import type { Logger } from '#observability/port.ts'

import type { CgroupHost } from './cgroup/cgroup.ts'
import { createControlDoor, type ControlDoor } from './guest-streams.ts'
import type { BlankSandbox, BlankSpec, DriverReport, Sandbox, SandboxDriver, SandboxSpec } from './port.ts'
import { writePlan, type CleanUpPlan } from './spawner/clean-up.ts'
import { createSpawner, type Spawner, type SpawnerPlace } from './spawner/client.ts'

export interface DriverOptions {
  /** Holds what must survive a killed agent: the list of sandboxes. Belongs to one agent at a time. */
  readonly stateDirectory: string
  readonly clock: Clock
  readonly logger: Logger
  readonly random?: Random
}

export interface DriverBase {
  readonly spawner: Spawner
  readonly door: ControlDoor
}

/** What a driver makes a sandbox of, besides its specification. */
export interface SandboxMaking {
  readonly base: DriverBase
  /** The sandbox's own; exists, and holds its plan. */
  readonly directory: string
  readonly onDestroyed: () => void
}

const SANDBOX_ID = /^[0-9a-f]{4,64}$/
const SWEEP_DEADLINE_MS = 120_000

export async function createDriverBase(
  options: DriverOptions & {
    readonly place: SpawnerPlace
    /** Asked after `onStart`. */
    readonly report: () => DriverReport
    readonly spawnerEnv?: Readonly<Record<string, string>>
    readonly cgroups: CgroupHost | undefined
    /** Everything that `create` of this driver makes is named in the plan before it is made. */
    readonly plan: (id: string, directory: string) => Omit<CleanUpPlan, 'id'>
    readonly create: (spec: SandboxSpec, making: SandboxMaking) => Promise<Sandbox>
    readonly createBlank: (spec: BlankSpec, making: SandboxMaking) => Promise<BlankSandbox>
    /** Prepares what all sandboxes share. */
    readonly onStart?: (base: DriverBase) => Promise<void>
    readonly endpointFor?: (port: number) => string
  },
): Promise<SandboxDriver> {
  const { clock, logger, random = systemRandom } = options
  const stateDirectory = resolve(options.stateDirectory)
  const sandboxes = join(stateDirectory, 'sandboxes')
  mkdirSync(sandboxes, { recursive: true, mode: 0o700 })
  chmodSync(sandboxes, 0o700)
  const door = await createControlDoor({ stateDirectory, clock, random })
  const spawner = await createSpawner({
    stateDirectory,
    place: options.place,
    env: options.spawnerEnv,
    clock,
    logger,
  })
  const base: DriverBase = { spawner, door }
  try {
    await options.onStart?.(base)
  } catch (error) {
    door.close()
    await spawner.stop()
    throw error
  }
  const living = new Map<string, Sandbox>()
  const creating = new Set<string>()
  let stopped: Promise<void> | undefined

  const make = async <Made extends Sandbox>(
    id: string,
    create: (making: SandboxMaking) => Promise<Made>,
  ): Promise<Made> => {
    if (stopped) throw new Error('The sandbox driver is stopped')
    if (!SANDBOX_ID.test(id)) throw new Error(`Not an environment id: "${id}"`)
    if (living.has(id) || creating.has(id)) throw new Error(`There is a sandbox "${id}" already`)
    creating.add(id)
    const directory = join(sandboxes, id)
    try {
      await spawner.ready()
      mkdirSync(directory, { mode: 0o700 })
      writePlan(directory, { id, ...options.plan(id, directory) })
      await spawner.request({ op: 'remember', directory })
      const sandbox = await create({ base, directory, onDestroyed: () => living.delete(id) })
      living.set(id, sandbox)
      return sandbox
    } catch (error) {
      await spawner
        .request({ op: 'clean-up', directory })
        .catch((cause: unknown) =>
          logger.error('A sandbox that did not start could not be removed', { id, error: String(cause) }),
        )
      throw error
    } finally {
      creating.delete(id)
    }
  }

  return {
    report: options.report(),
    endpointFor: options.endpointFor ?? ((port) => `http://127.0.0.1:${port}`),
    create: (spec) => make(spec.id, (making) => options.create(spec, making)),
    createBlank: (spec) => make(spec.id, (making) => options.createBlank(spec, making)),
    async sweep() {
      if (living.size > 0 || creating.size > 0)
        throw new Error('Sweeping is for the start: this agent has sandboxes of its own')
      const { count } = await spawner.request({ op: 'sweep' }, SWEEP_DEADLINE_MS)
      return count ?? 0
    },
    stop() {
      stopped ??= (async () => {
        const results = await Promise.allSettled([...living.values()].map((sandbox) => sandbox.destroy()))
        door.close()
        // Ends with a last look at the state directory, so a failed destroy gets a second chance here.
        await spawner.stop()
        for (const result of results)
          if (result.status === 'rejected')
            logger.error('A sandbox was not removed cleanly', { error: String(result.reason) })
      })()
      return stopped
    },
  }
}
