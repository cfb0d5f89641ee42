/**
 * Compiled code of a function's modules (V8's code cache), made once and used by every later environment of it.
 *
 * What is in such a cache is run without being compared with the source, so who may write it is who may decide what the
 * function does. It is written by one environment of the same function, in its own /tmp, and taken out of there when init
 * has ended: before that environment has seen any event. From then on nobody can write it. Other functions, other
 * accounts, and the same function with other code or variables have caches of their own.
 */
import { createHash } from 'node:crypto'

import type { FunctionVersion } from '#contracts/function.ts'
import type { BlankSandbox, GuestPaths } from '#data-plane/sandbox/port.ts'
import type { CachedDirectory, DirectoryCache } from '#data-plane/worker/code/directory-cache.ts'
import type { PoolShape } from '#data-plane/worker/pool/pool-shape.ts'
import type { Logger } from '#observability/port.ts'

/** What one environment does about it. */
export interface CompiledCode {
  /** Host directory to show; undefined when this environment makes it. */
  readonly directory: string | undefined
  /** Where the runtime finds it, or writes it. */
  guestDirectory(paths: GuestPaths): string
  /** Takes what the runtime has written, after an init that went well. Never rejects. */
  collect(sandbox: BlankSandbox): Promise<void>
  /** The environment is gone, or never came to be. */
  release(): void
}

export interface CompileCaches {
  /** Undefined when there is nothing to gain, or another environment is about to make it. */
  of(version: FunctionVersion, shape: PoolShape): CompiledCode | undefined
}

/** Older ones have no `module.flushCompileCache`. */
const FIRST_NODE = 22
const SEED = '.lambent-compiled'
const KIND = 'compiled'
/** Functions whose cache could not be made are not tried again, so many at most. */
const MAX_FAILED = 10_000

export function createCompileCaches({
  cache,
  logger,
}: {
  readonly cache: DirectoryCache
  readonly logger: Logger
}): CompileCaches {
  const making = new Set<string>()
  const failed = new Set<string>()

  const used = (held: CachedDirectory): CompiledCode => ({
    directory: held.path,
    guestDirectory: ({ compiled }) => compiled,
    collect: () => Promise.resolve(),
    release: () => held.release(),
  })

  const made = (key: string): CompiledCode => {
    making.add(key)
    return {
      directory: undefined,
      guestDirectory: ({ tmp }) => `${tmp}/${SEED}`,
      async collect(sandbox) {
        try {
          const directory = await cache.acquire(KIND, key, (into) => sandbox.collect(SEED, into))
          directory.release()
        } catch (error) {
          if (failed.size < MAX_FAILED) failed.add(key)
          logger.debug('Compiled code of a function was not kept', { error: String(error) })
        }
      },
      release: () => void making.delete(key),
    }
  }

  return {
    of(version, shape) {
      const { family, release } = shape.runtime
      if (family !== 'nodejs' || Number(release) < FIRST_NODE || !shape.isRich) return undefined
      const key = keyOf(version, shape)
      const held = cache.acquireIfThere(KIND, key)
      if (held) return used(held)
      return making.has(key) || failed.has(key) ? undefined : made(key)
    },
  }
}

function keyOf(version: FunctionVersion, { interpreter }: PoolShape): string {
  const { account, region, name, code, layers, sealedEnvironment } = version
  const parts = [
    account,
    region,
    name,
    code.blob,
    ...layers.map(({ blob }) => blob),
    JSON.stringify(sealedEnvironment ?? ''),
    interpreter.executable,
    interpreter.version,
  ]
  return createHash('sha256').update(parts.join('\n')).digest('hex')
}
