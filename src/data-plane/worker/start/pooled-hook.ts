import { existsSync } from 'node:fs'
import { join } from 'node:path'

import type { SandboxDriver } from '#data-plane/sandbox/port.ts'
import type { CodeFiles } from '#data-plane/worker/code/code-files.ts'
import type { CompileCaches, CompiledCode } from '#data-plane/worker/code/compile-caches.ts'
import type { BootedSandbox } from '#data-plane/worker/pool/boot-sandbox.ts'
import { mustBootAlone } from '#data-plane/worker/pool/boots-alone.ts'
import { fitsPool, poolShape } from '#data-plane/worker/pool/pool-shape.ts'
import type { Pool } from '#data-plane/worker/pool/create-pool.ts'
import type { HostResources } from '#data-plane/worker/port.ts'
import type { RuntimeParts } from '#data-plane/worker/start/interpreter-hook.ts'
import { limitsOf } from '#data-plane/worker/start/sandbox-hook.ts'
import type { Subject, Undo } from '#data-plane/worker/start/stage.ts'
import type { Logger } from '#observability/port.ts'

export interface PooledSandbox extends BootedSandbox {
  readonly compiled: CompiledCode | undefined
}

/** A sandbox whose runtime waits for a function, given to this one; undefined when it must have one of its own. */
export async function pooledHook(
  { version, runtime }: Subject,
  host: {
    readonly pool: Pool | undefined
    readonly compileCaches: CompileCaches
    readonly driver: SandboxDriver
    readonly resources: HostResources
    readonly logger: Logger
  },
  made: {
    readonly code: CodeFiles
    readonly parts: RuntimeParts
    readonly variables: Readonly<Record<string, string>>
  },
  undo: Undo,
): Promise<PooledSandbox | undefined> {
  const { pool, driver, logger } = host
  const { code, parts } = made
  const shape = pool && poolShape(version, runtime, parts)
  if (!shape || !fitsPool(version, host.resources)) return undefined
  if (mustBootAlone(runtime.family, made.variables)) return undefined
  // Where nothing is mounted, a linker that has started does not learn where the function's libraries are.
  if (!driver.report.filesystem.enforced && bringsLibraries(code)) return undefined
  const booted = await pool.take(shape)
  if (!booted) return undefined
  const compiled = host.compileCaches.of(version, shape)
  undo.defer(() => compiled?.release())
  try {
    await booted.sandbox.specialise({
      files: { ...code, compiled: compiled?.directory },
      limits: limitsOf(version),
    })
  } catch (error) {
    logger.warn('A sandbox of the pool could not be given to a function, which gets its own', { error })
    await booted.destroy()
    return undefined
  }
  undo.defer(() => booted.sandbox.destroy())
  return { ...booted, compiled }
}

const bringsLibraries = ({ task, opt }: CodeFiles) =>
  existsSync(join(task, 'lib')) || (opt !== undefined && existsSync(join(opt, 'lib')))
