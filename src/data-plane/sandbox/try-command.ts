/** Runs a command once to see whether it works on this machine. */
import { execFile } from 'node:child_process'

const DEADLINE_MS = 10_000

/** Undefined when it ended well, otherwise the last line that it said. */
export function tryCommand(argv: readonly string[]): Promise<string | undefined> {
  const [file = '', ...args] = argv
  return new Promise((resolve) => {
    execFile(file, args, { timeout: DEADLINE_MS, killSignal: 'SIGKILL' }, (error, _stdout, stderr) => {
      if (!error) resolve(undefined)
      else resolve(stderr.trim().split('\n').at(-1) || error.message)
    })
  })
}
