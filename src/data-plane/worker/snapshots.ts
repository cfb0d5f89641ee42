/**
 * Snapshots of initialised functions (SnapStart): taken once when a version is published, continued by every environment of
 * it. They are entries of the directory cache: thrown away after a restart of the machine, whose clock and kernel they
 * depend on, and when room is short.
 */
import { createHash } from 'node:crypto'

import { functionArn, LATEST } from '#contracts/arn.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import type { RuntimeDescription } from '#contracts/runtime.ts'
import type { DriverReport, SnapshotSpec } from '#data-plane/sandbox/port.ts'
import type { DirectoryCache } from '#data-plane/worker/code/directory-cache.ts'
import type { Interpreter } from '#data-plane/worker/runtimes/interpreter.ts'
import type { Logger } from '#observability/port.ts'

export interface HeldSnapshot extends SnapshotSpec {
  /** Nobody uses it any more. */
  release(): void
}

export interface Snapshots {
  /** Undefined when the version has none, which is logged when it should. `missed` may have it taken. */
  find(
    version: FunctionVersion,
    runtime: RuntimeDescription,
    missed: () => void,
  ): Promise<HeldSnapshot | undefined>
  /** Has `capture` make one, unless there is one. Undefined when this host can't. Rejects as `capture` does. */
  take(
    version: FunctionVersion,
    runtime: RuntimeDescription,
    capture: (snapshot: SnapshotSpec, into: string) => Promise<number>,
  ): Promise<HeldSnapshot | undefined>
}

const KIND = 'snapshot'

/** SnapStart is for published versions that start on demand. */
const wantsSnapshot = (version: FunctionVersion) =>
  version.snapStart === 'PublishedVersions' && version.version !== LATEST && !version.managedInstances

export function createSnapshots(options: {
  readonly cache: DirectoryCache
  readonly report: DriverReport
  readonly interpreterOf: (runtime: RuntimeDescription) => Promise<Interpreter | undefined>
  readonly logger: Logger
}): Snapshots {
  const { cache, report, interpreterOf, logger } = options

  const obstacle = ({ identifier, family }: RuntimeDescription): string | undefined => {
    if (!report.snapshots) return `the sandbox driver "${report.driver}" can't keep processes`
    if (!report.snapshots.enforced) return report.snapshots.why
    return family === 'python' ? undefined : `processes of the runtime ${identifier} can't be kept`
  }
  const initialisesAsUsual = (version: FunctionVersion, reason: string) =>
    logger.info('A version with SnapStart initialises as usual', {
      function: functionArn(version, version.version),
      reason,
    })
  const keyOf = async (version: FunctionVersion, runtime: RuntimeDescription) => {
    const interpreter = await interpreterOf(runtime)
    const identity = [functionArn(version, version.version), version.generation, version.code.blob]
    const host = [interpreter?.executable, interpreter?.version]
    return createHash('sha256')
      .update(JSON.stringify([...identity, ...host]))
      .digest('hex')
  }
  /** Half of the key: identifiers of sandboxes are as long. */
  const ownerOf = (key: string) => key.slice(0, 32)

  return {
    async find(version, runtime, missed) {
      if (!wantsSnapshot(version)) return undefined
      const why = obstacle(runtime)
      if (why === undefined) {
        const key = await keyOf(version, runtime)
        const held = cache.acquireIfThere(KIND, key)
        if (held) return { owner: ownerOf(key), from: held.path, release: held.release }
        missed()
      }
      initialisesAsUsual(version, why ?? 'its snapshot is not there (any more)')
      return undefined
    },
    async take(version, runtime, capture) {
      if (!wantsSnapshot(version)) return undefined
      const why = obstacle(runtime)
      if (why !== undefined) {
        initialisesAsUsual(version, why)
        return undefined
      }
      const key = await keyOf(version, runtime)
      const held = await cache.acquire(KIND, key, (into) =>
        capture({ owner: ownerOf(key), from: undefined }, into),
      )
      return { owner: ownerOf(key), from: held.path, release: held.release }
    },
  }
}
