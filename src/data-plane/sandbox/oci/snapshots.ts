/** Snapshots of the processes of a container: what the spawner is asked, and the command line that continues one. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { confinedCommand } from '../host-command.ts'
import type { HostCommand } from '../launched-sandbox.ts'
import { SNAPSHOT_SLOTS } from '../port.ts'
import type { Spawner } from '../spawner/client.ts'
import { enterSandbox, IMAGES, lastError } from '../spawner/snapshots.ts'
import type { Criu } from './criu.ts'

/** Numbers of processes below are for what happens in a sandbox before its main process is continued. */
export const PIDS_ABOVE = 300
const TAKE_DEADLINE_MS = 60_000
const LOG = 'restore.log'
/** The process gets what this shell has as its output and its control socket; CRIU itself is not to write there. */
const CONTINUE = 'exec 4<"$1" 5<"$2" 7>&1 8>&2 9<&3; exec >/dev/null 2>&1 3<&-; shift 2; exec "$@"'
const HANDED_ON = [7, 8, 9]

export interface ContainerSnapshots {
  take(pid: number, into: string): Promise<number>
  restore(from: string, run: number): HostCommand
  /** Why the last `restore` did not work. */
  explain(run: number): string
}

export function containerSnapshots(options: {
  readonly spawner: Spawner
  readonly criu: Criu
  readonly keeper: number
  readonly directory: string
  readonly cgroups: readonly string[]
  /** The sandbox's root, outside. */
  readonly uid: number
  readonly scratch: { readonly image: string; readonly mountPoint: string } | undefined
}): ContainerSnapshots {
  const { spawner, criu, keeper, directory, cgroups, uid, scratch } = options
  const runDirectory = (run: number) => join(directory, `run-${run}`)
  return {
    async take(pid, into) {
      const program = criu.shown
      const deadlineMs = TAKE_DEADLINE_MS
      const { count } = await spawner.request(
        { op: 'checkpoint', keeper, pid, program, into, uid, scratch, deadlineMs },
        2 * TAKE_DEADLINE_MS,
      )
      return count ?? 0
    },
    restore(from, run) {
      const streams = SNAPSHOT_SLOTS.flatMap((slot, index) => [
        '--inherit-fd',
        // CRIU names files without the first slash.
        `fd[${HANDED_ON[index]}]:var/runtime/${slot}`,
      ])
      const criuRestore = [
        criu.shown,
        'restore',
        '--images-dir',
        IMAGES,
        '--work-dir',
        '/proc/self/fd/5',
        '--log-file',
        LOG,
        '--restore-detached',
        '--restore-sibling',
        '--manage-cgroups=ignore',
        '--tcp-close',
        '--file-locks',
        '--join-ns',
        'user:1,0,0',
        ...streams,
      ]
      return {
        argv: confinedCommand({
          argv: [
            '/bin/sh',
            '-c',
            CONTINUE,
            'sh',
            from,
            runDirectory(run),
            ...enterSandbox(keeper),
            ...criuRestore,
          ],
          cgroups,
        }),
        env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
        cwd: '/',
        main: { kind: 'restored', keeper, pid: Number(readFileSync(join(from, 'pid'), 'utf8')) },
      }
    },
    explain: (run) => `CRIU could not continue it: ${lastError(join(runDirectory(run), LOG))}`,
  }
}
