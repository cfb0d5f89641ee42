/** How the main process of an image is started, or why it can't be: what AWS says before it has even tried. */
import { statSync } from 'node:fs'
import { join } from 'node:path'

import type { ImageOverrides } from '#contracts/function.ts'
import type { GuestCommand } from '#data-plane/sandbox/port.ts'
import {
  invalidEntrypoint,
  invalidWorkingDirectory,
  type PlatformFailure,
} from '#data-plane/worker/error-documents.ts'
import { examineExecutable } from '#data-plane/worker/runtimes/executable.ts'
import type { PreparedImage } from '#images/port.ts'
import { resolveInRoot } from '#kernel/resolve-in-root.ts'

/** The guest owns nothing in an image, and is in no group of it. */
const OTHERS_EXECUTE = 0o001
const ANY_EXECUTE = 0o111
/** Not the image's, whatever it has there: the guest finds out for itself. */
const OURS = /^\/(?:dev|mnt|proc|sys|tmp)(?:\/|$)/

/**
 * Each of the three settings of the function replaces the image's own and leaves the others as they are (that CMD stays
 * when ENTRYPOINT is replaced is unverified). Words of the failures: of AWS's runtime interface emulator, and as clients
 * have reported them from AWS.
 */
export async function imageCommand(
  { root, config }: Pick<PreparedImage, 'root' | 'config'>,
  overrides: ImageOverrides | undefined,
  env: Readonly<Record<string, string>>,
): Promise<GuestCommand | PlatformFailure> {
  const cwd = (overrides?.workingDirectory ?? config.workingDirectory) || '/'
  const [name = '', ...args] = [
    ...(overrides?.entryPoint ?? config.entrypoint),
    ...(overrides?.command ?? config.cmd),
  ]
  if (!cwd.startsWith('/')) {
    return invalidWorkingDirectory(
      `the working directory '${cwd}' is invalid, it needs to be an absolute path`,
    )
  }
  const refuse = (problem: string) => invalidEntrypoint(`fork/exec ${name}: ${problem}`)
  if (!OURS.test(cwd)) {
    const directory = resolveInRoot(root, cwd)
    if (directory === undefined) return invalidWorkingDirectory(`the working directory doesn't exist: ${cwd}`)
    if (!statSync(directory).isDirectory()) return refuse('not a directory')
    if (!isReachable(root, directory)) return refuse('permission denied')
  }
  if (name === '') return invalidEntrypoint("Couldn't find valid bootstrap(s): []")

  const program = name.includes('/') ? join(name.startsWith('/') ? '/' : cwd, name) : search(root, name, env)
  if (program === undefined) return invalidEntrypoint(`exec: "${name}": executable file not found in $PATH`)
  if (!OURS.test(program)) {
    const problem = await problemOf(root, program)
    if (problem) return refuse(problem)
  }
  return { argv: [program, ...args], env, cwd, control: false }
}

/** As Go's LookPath does it: the first executable file, whoever may execute it. */
function search(
  root: string,
  name: string,
  { PATH = '' }: Readonly<Record<string, string>>,
): string | undefined {
  return PATH.split(':')
    .filter((directory) => directory.startsWith('/'))
    .map((directory) => join(directory, name))
    .find((path) => {
      const file = resolveInRoot(root, path)
      const stats = file === undefined ? undefined : statSync(file)
      return stats !== undefined && !stats.isDirectory() && (stats.mode & ANY_EXECUTE) !== 0
    })
}

async function problemOf(root: string, program: string): Promise<string | undefined> {
  const file = resolveInRoot(root, program)
  if (file === undefined) return 'no such file or directory'
  if (!isReachable(root, file)) return 'permission denied'
  const { problem, interpreter } = await examineExecutable(file, OTHERS_EXECUTE)
  if (problem === 'absent') return 'no such file or directory'
  if (problem) return problem
  const isMissing =
    interpreter !== undefined && !OURS.test(interpreter) && resolveInRoot(root, interpreter) === undefined
  return isMissing ? 'no such file or directory' : undefined
}

/** Every directory down to it may be walked by everybody. */
function isReachable(root: string, path: string): boolean {
  for (let at = join(path, '..'); at.length > root.length; at = join(at, '..'))
    if ((statSync(at).mode & OTHERS_EXECUTE) === 0) return false
  const stats = statSync(path)
  return !stats.isDirectory() || (stats.mode & OTHERS_EXECUTE) !== 0
}
