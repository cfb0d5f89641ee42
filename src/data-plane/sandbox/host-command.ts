/** The command line that puts a process into its cgroups and under its limits before the guest's program runs. */

/**
 * Arguments up to `--` are cgroup directories. A spawned shell joins them itself, so that nothing of the guest ever
 * runs outside; the rest of the line replaces the shell.
 */
const JOIN_AND_LIMIT = [
  'files=$1; shift',
  'while [ "$1" != -- ]; do echo 0 > "$1/cgroup.procs" || exit 125; shift; done; shift',
  // Should the machine itself run out of memory, guests go first.
  '{ echo 500 > /proc/self/oom_score_adj; } 2>/dev/null',
  'ulimit -c 0; [ -z "$files" ] || ulimit -n "$files" || exit 125',
  'exec "$@"',
].join('\n')

export function confinedCommand(options: {
  readonly argv: readonly string[]
  readonly cgroups: readonly string[]
  /** Undefined: as many as the spawner may. */
  readonly openFiles?: number
}): readonly string[] {
  const { argv, cgroups, openFiles } = options
  return ['/bin/sh', '-c', JOIN_AND_LIMIT, 'sh', String(openFiles ?? ''), ...cgroups, '--', ...argv]
}
