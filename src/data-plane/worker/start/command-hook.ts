import { isAbsolute, join } from 'node:path'

import { vCpusOf } from '#contracts/capacity-provider.ts'
import type { RuntimeDescription } from '#contracts/runtime.ts'
import type { GuestCommand, GuestPaths } from '#data-plane/sandbox/port.ts'
import type { CodeFiles } from '#data-plane/worker/code/code-files.ts'
import type { PlatformFailure } from '#data-plane/worker/error-documents.ts'
import { findBootstrap } from '#data-plane/worker/runtimes/find-bootstrap.ts'
import type { Interpreter } from '#data-plane/worker/runtimes/interpreter.ts'
import type { RuntimeParts } from '#data-plane/worker/start/interpreter-hook.ts'
import type { Subject } from '#data-plane/worker/start/stage.ts'

/** What our clients are started by, below their directory. */
const NODE_ENTRY = 'index.cjs'
const PYTHON_ENTRY = 'bootstrap.py'
/** The same for several invocations at once. */
const CONCURRENT_NODE_ENTRY = 'concurrent.cjs'
// Not concurrent.py: that is a package of Python's own.
const CONCURRENT_PYTHON_ENTRY = 'multi.py'

/** The command line of the main process; or why there is none, which is the function's failure and not ours. */
export async function commandHook(
  { version, runtime }: Subject,
  made: {
    readonly code: CodeFiles
    readonly parts: RuntimeParts
    readonly paths: GuestPaths
    readonly env: Readonly<Record<string, string>>
  },
): Promise<GuestCommand | PlatformFailure> {
  const { code, parts, paths, env } = made
  const { interpreter } = parts
  if (!interpreter) {
    const bootstrap = await findBootstrap([
      { guest: paths.task, host: code.task, shown: '/var/task' },
      { guest: paths.opt, host: code.opt, shown: '/opt' },
    ])
    if (typeof bootstrap !== 'string') return bootstrap
    return { argv: [bootstrap], env, cwd: paths.task, control: false }
  }
  const { managedInstances: managed, memoryMiB } = version
  if (managed) {
    const argv = concurrentCommand(runtime, interpreter, paths, memoryMiB, vCpusOf(memoryMiB, managed))
    return { argv, env, cwd: paths.task, control: false }
  }
  const argv = runtimeCommand(runtime, interpreter, paths, memoryMiB)
  const wrapper = wrapperOf(env)
  return {
    argv: wrapper === undefined ? argv : [shownPath(wrapper, paths), ...argv],
    env,
    cwd: paths.task,
    control: true,
  }
}

/** A script that starts the runtime of the function in its own way, given the command line as arguments. */
export const wrapperOf = (env: Readonly<Record<string, string>>): string | undefined =>
  env['AWS_LAMBDA_EXEC_WRAPPER'] || undefined

/** A driver that can't mount has the function's directories at other places. */
function shownPath(path: string, paths: GuestPaths): string {
  if (path.startsWith('/opt/')) return join(paths.opt, path.slice('/opt/'.length))
  if (path.startsWith('/var/task/')) return join(paths.task, path.slice('/var/task/'.length))
  return path
}

/** The command line of our client for a managed runtime. */
export function runtimeCommand(
  { family }: RuntimeDescription,
  interpreter: Interpreter,
  paths: GuestPaths,
  memoryMiB: number,
): readonly string[] {
  const program = inGuest(interpreter, paths)
  return family === 'nodejs'
    ? [program, ...nodeOptions(memoryMiB), `${paths.runtime}/${NODE_ENTRY}`]
    : [program, `${paths.runtime}/${PYTHON_ENTRY}`]
}

/** The same for several invocations at once. */
function concurrentCommand(
  { family }: RuntimeDescription,
  interpreter: Interpreter,
  paths: GuestPaths,
  memoryMiB: number,
  vCpus: number,
): readonly string[] {
  const program = inGuest(interpreter, paths)
  const threads = String(Math.max(1, Math.floor(vCpus)))
  return family === 'nodejs'
    ? [program, ...nodeOptions(memoryMiB), `${paths.runtime}/${CONCURRENT_NODE_ENTRY}`, threads]
    : [program, `${paths.runtime}/${CONCURRENT_PYTHON_ENTRY}`]
}

function inGuest(interpreter: Interpreter, paths: GuestPaths): string {
  if (interpreter.lang === undefined) return interpreter.executable
  const below = interpreter.executable.slice(interpreter.lang.length)
  if (!isAbsolute(below)) throw new TypeError(`${interpreter.executable} is not below ${interpreter.lang}`)
  return join(paths.lang, below)
}

/** The options of AWS's own start script: a tenth of the memory for young objects, in two halves. */
function nodeOptions(memoryMiB: number): readonly string[] {
  const newSpaceMiB = Math.floor(memoryMiB / 10)
  return [
    '--expose-gc',
    '--max-http-header-size=81920',
    `--max-semi-space-size=${Math.floor(newSpaceMiB / 2)}`,
    `--max-old-space-size=${memoryMiB - newSpaceMiB}`,
  ]
}
