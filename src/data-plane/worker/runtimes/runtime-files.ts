/** The interpreters of the runtimes: found on the host, or fetched, once. `lambent runtime` uses it too. */
import { findRuntime, RUNTIMES, type RuntimeDescription } from '#contracts/runtime.ts'
import { fetchNode, nodePackage } from '#data-plane/worker/runtimes/fetch-node.ts'
import { findNode } from '#data-plane/worker/runtimes/find-node.ts'
import { findPython } from '#data-plane/worker/runtimes/find-python.ts'
import { runtimeMissing, type Interpreter } from '#data-plane/worker/runtimes/interpreter.ts'
import type { Logger } from '#observability/port.ts'

export type RuntimeStatus =
  | { readonly runtime: RuntimeDescription; readonly state: 'ready'; readonly interpreter?: Interpreter }
  /** `add` fetches it. */
  | { readonly runtime: RuntimeDescription; readonly state: 'fetchable' }
  | { readonly runtime: RuntimeDescription; readonly state: 'missing'; readonly advice: string }

export interface RuntimeFiles {
  /**
   * The interpreter of a runtime, fetched when it has to be and may be; undefined for runtimes that need none.
   * Rejects with InvalidRuntimeException (502), whose message says what to do.
   */
  resolve(runtime: RuntimeDescription): Promise<Interpreter | undefined>
  /** Fetches a runtime, also one that the host has in another version. Rejects like `resolve`. */
  add(identifier: string): Promise<Interpreter | undefined>
  /** Every runtime that this build can run, and whether this host has it. */
  list(): Promise<readonly RuntimeStatus[]>
}

export function createRuntimeFiles(options: {
  /** Where fetched runtimes are kept. */
  readonly runtimesDirectory: string
  readonly logger: Logger
  /** Search path of the host. */
  readonly path: string | undefined
  /** May a runtime be fetched on demand? `add` always may. */
  readonly fetchOnDemand?: boolean
}): RuntimeFiles {
  const { runtimesDirectory, logger, path, fetchOnDemand = true } = options
  // Found once, used by every environment. A failure is not kept: the operator may have helped meanwhile.
  const known = new Map<string, Promise<Interpreter | undefined>>()
  const self = { executable: process.execPath, version: process.version }

  const find = ({ family, release }: RuntimeDescription): Promise<Interpreter | undefined> => {
    if (family === 'nodejs') return findNode({ major: release, runtimesDirectory, path, self })
    if (family === 'python') return findPython({ release, path })
    return Promise.resolve(undefined)
  }

  const fetch = async ({ identifier, release }: RuntimeDescription): Promise<Interpreter> => {
    try {
      return await fetchNode({ major: release, runtimesDirectory, logger })
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error)
      throw runtimeMissing(
        identifier,
        `Fetching ${nodePackage()}@${release} from npm failed; check the network and npm's configuration, then run ` +
          `"lambent runtime add ${identifier}" (${said})`,
        error,
      )
    }
  }

  const demand = (runtime: RuntimeDescription, work: () => Promise<Interpreter | undefined>) => {
    const pending = work()
    known.set(runtime.identifier, pending)
    pending.catch(() => {
      if (known.get(runtime.identifier) === pending) known.delete(runtime.identifier)
    })
    return pending
  }

  const resolve = (runtime: RuntimeDescription): Promise<Interpreter | undefined> => {
    if (!runtime.runnable) return Promise.reject(notRunnable(runtime.identifier))
    return (
      known.get(runtime.identifier) ??
      demand(runtime, async () => {
        const found = await find(runtime)
        if (found || runtime.family === 'provided') return found
        if (runtime.family === 'nodejs' && fetchOnDemand) return fetch(runtime)
        throw runtimeMissing(runtime.identifier, adviceFor(runtime))
      })
    )
  }

  return {
    resolve,
    add(identifier) {
      const runtime = findRuntime(identifier)
      if (!runtime?.runnable) return Promise.reject(notRunnable(identifier))
      return runtime.family === 'nodejs' ? demand(runtime, () => fetch(runtime)) : resolve(runtime)
    },
    list: () =>
      Promise.all(
        RUNTIMES.filter((runtime) => runtime.runnable).map(async (runtime): Promise<RuntimeStatus> => {
          const interpreter = await find(runtime)
          if (interpreter) return { runtime, state: 'ready', interpreter }
          if (runtime.family === 'provided') return { runtime, state: 'ready' }
          if (runtime.family === 'nodejs') return { runtime, state: 'fetchable' }
          return { runtime, state: 'missing', advice: adviceFor(runtime) }
        }),
      ),
  }
}

const notRunnable = (identifier: string) =>
  runtimeMissing(
    identifier,
    `This version runs ${RUNTIMES.filter((runtime) => runtime.runnable)
      .map((runtime) => runtime.identifier)
      .join(', ')}`,
  )

const adviceFor = ({ identifier, family, release }: RuntimeDescription) =>
  family === 'python'
    ? `Install Python ${release} so that python${release} is on PATH or in /usr/bin, or with "pyenv install ${release}"`
    : `Run "lambent runtime add ${identifier}"`
