import { execFile } from 'node:child_process'

/** Runs a program of the host with a deadline and a bound on its output. Rejects with its error output. */
export function runCommand(
  file: string,
  args: readonly string[],
  options: { readonly timeoutMs: number; readonly cwd?: string; readonly env?: NodeJS.ProcessEnv },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const { timeoutMs: timeout, cwd, env } = options
    const settings = { timeout, cwd, env, maxBuffer: 8 * 1024 * 1024, killSignal: 'SIGKILL' as const }
    execFile(file, [...args], settings, (error, stdout, stderr) => {
      if (!error) resolve(stdout)
      else {
        const said = stderr.trim().split('\n').slice(-5).join('\n')
        reject(
          new Error(`${file} ${args.join(' ')} failed: ${said === '' ? error.message : said}`, {
            cause: error,
          }),
        )
      }
    })
  })
}
