/** Boots a runtime in a blank sandbox, up to where it waits for its function. */
import {
  MAX_OPEN_FILES,
  MAX_PROCESSES,
  MAX_RESPONSE_BYTES,
  DEFAULT_EPHEMERAL_STORAGE_MIB,
} from '#contracts/limits.ts'
import type { BootableSession } from '#data-plane/runtime-api/port.ts'
import type { BlankSandbox, Guest, SandboxDriver } from '#data-plane/sandbox/port.ts'
import {
  createEnvironmentLifecycle,
  type EnvironmentLifecycle,
} from '#data-plane/worker/environment-lifecycle.ts'
import { bootEnvironment } from '#data-plane/worker/guest-environment.ts'
import { BLANK_MEMORY_MIB, type PoolShape } from '#data-plane/worker/pool/pool-shape.ts'
import { runtimeCommand } from '#data-plane/worker/start/command-hook.ts'
import type { RuntimeEndpoint } from '#data-plane/worker/start/endpoint-hook.ts'
import { newEnvironmentId } from '#data-plane/worker/start/sandbox-hook.ts'
import type { SessionFactories } from '#data-plane/worker/session-factories.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'

export interface BootedSandbox {
  readonly sandbox: BlankSandbox
  /** The listener of its Runtime API; nobody serves it yet. */
  readonly endpoint: RuntimeEndpoint
  /** Waits for INIT; nobody reads what it prints yet. */
  readonly guest: Guest
  /** Its session; from now on the listener gets what the guest says. */
  session(listener: GuestListener): BootableSession
  /** In the state `pooled`. */
  readonly lifecycle: EnvironmentLifecycle
  /** For one that was given to nobody. */
  destroy(): Promise<void>
}

/** Who hears what a guest says by way of its session. */
export type GuestListener = Pick<Parameters<SessionFactories['framed']>[0], 'onLog' | 'onOutput'>

const BOOT_DEADLINE_MS = 20_000

/** Rejects, and leaves nothing behind, when the sandbox can't be made or the runtime does not come up. */
export async function bootSandbox(
  shape: PoolShape,
  host: {
    readonly driver: SandboxDriver
    readonly sessions: Pick<SessionFactories, 'framed'>
    readonly clock: Clock
    readonly random: Random
  },
  background: boolean,
): Promise<BootedSandbox> {
  const lifecycle = createEnvironmentLifecycle()
  const sandbox = await host.driver.createBlank({
    id: newEnvironmentId(host.random),
    files: { runtime: shape.client, lang: shape.interpreter.lang },
    limits: {
      memoryMiB: BLANK_MEMORY_MIB,
      vcpus: 1,
      tmpMiB: DEFAULT_EPHEMERAL_STORAGE_MIB,
      openFiles: MAX_OPEN_FILES,
      processes: MAX_PROCESSES,
    },
    background,
  })
  let endpoint: RuntimeEndpoint | undefined
  const destroy = () => {
    endpoint?.server.close()
    return sandbox.destroy()
  }
  try {
    endpoint = await sandbox.listen()
    const guest = await sandbox.start({
      argv: runtimeCommand(shape.runtime, shape.interpreter, sandbox.paths, shape.memoryMiB),
      env: {
        ...bootEnvironment(shape.runtime, sandbox.paths),
        _LAMBENT_PRELOAD: shape.isRich ? 'rich' : 'warm',
      },
      cwd: '/',
      control: true,
    })
    if (!guest.control) throw new TypeError('The sandbox gave a managed runtime no control socket')
    let listener: GuestListener = { onLog() {}, onOutput() {} }
    const session = host.sessions.framed({
      control: guest.control,
      maxResponseBytes: MAX_RESPONSE_BYTES,
      onLog: (record) => listener.onLog(record),
      onOutput: (bytes) => listener.onOutput(bytes),
    })
    const late = Promise.withResolvers<never>()
    const cancel = host.clock.after(BOOT_DEADLINE_MS, () =>
      late.reject(new Error(`The runtime did not boot within ${BOOT_DEADLINE_MS} ms`)),
    )
    await Promise.race([session.ready, late.promise]).finally(cancel)
    lifecycle.to('pooled')
    return {
      sandbox,
      endpoint,
      guest,
      session(next) {
        listener = next
        return session
      },
      lifecycle,
      destroy,
    }
  } catch (error) {
    await destroy()
    throw error
  }
}
