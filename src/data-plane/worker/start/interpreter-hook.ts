import { join } from 'node:path'

import type { Interpreter } from '#data-plane/worker/runtimes/interpreter.ts'
import type { RuntimeFiles } from '#data-plane/worker/runtimes/runtime-files.ts'
import type { Subject } from '#data-plane/worker/start/stage.ts'

export interface RuntimeParts {
  readonly interpreter: Interpreter | undefined
  /** Host directory of our runtime client of this family. */
  readonly client: string | undefined
}

/** The interpreter of a managed runtime and our client for it. Nothing to undo: both are shared by everybody. */
export async function interpreterHook(
  { runtime }: Pick<Subject, 'runtime'>,
  host: { readonly runtimes: RuntimeFiles; readonly clientsDirectory: string },
): Promise<RuntimeParts> {
  const interpreter = await host.runtimes.resolve(runtime)
  const client = runtime.protocol === 'framed' ? join(host.clientsDirectory, runtime.family) : undefined
  return { interpreter, client }
}
