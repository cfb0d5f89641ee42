/** What differs between OCI runtimes. */
import { execFileSync } from 'node:child_process'

import { PARENT } from '../cgroup/cgroup.ts'

export interface OciRuntime {
  /** Absolute path of the program. */
  readonly program: string
  /** Where it keeps its own state. */
  readonly root: string
  /**
   * It leaves to us what is ours, as crun can be told to. runc can't be told to leave cgroups alone, so it is given those that
   * we have made; and runc 1.1 enters a user namespace before a network that is not the user namespace's own, which the
   * kernel then refuses, so it is run in that network already.
   */
  readonly leavesCgroups: boolean
}

const HELP_MS = 5000

/** Asks the program for its options. */
export function describeOciRuntime(program: string, root: string): OciRuntime {
  let help = ''
  try {
    help = execFileSync(program, ['--help'], {
      encoding: 'utf8',
      timeout: HELP_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    // Then it is run with the fewest options, and says itself what is wrong.
  }
  return { program, root, leavesCgroups: help.includes('--cgroup-manager') }
}

export const runtimeArguments = ({ root, leavesCgroups }: OciRuntime): readonly string[] => [
  '--root',
  root,
  ...(leavesCgroups ? ['--cgroup-manager', 'disabled'] : []),
]

/** The command line of the runtime for a sandbox whose network is `network`. */
export const runtimeCommand = (runtime: OciRuntime, network: string | undefined): readonly string[] =>
  runtime.leavesCgroups || network === undefined
    ? [runtime.program, ...runtimeArguments(runtime)]
    : ['nsenter', `--net=${network}`, '--', runtime.program, ...runtimeArguments(runtime)]

/** For the configuration of a sandbox: the cgroup that it is in already. */
export const cgroupsPath = ({ leavesCgroups }: OciRuntime, id: string): string | undefined =>
  leavesCgroups ? undefined : `/${PARENT}/${id}`
