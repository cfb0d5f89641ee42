/** Runs the load generator and reads what it printed. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Measured {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly requests: number
  readonly failures: number
  readonly firstFailure: string
}

/** One run against `url`. Throws when any request failed: a fast wrong answer is no result. */
export async function load(
  url: string,
  options: {
    readonly inFlight: number
    readonly durationMs: number
    readonly body?: string
    readonly headers?: Record<string, string>
  },
): Promise<Measured> {
  const script = fileURLToPath(new URL('./load.ts', import.meta.url))
  const args = [
    url,
    options.body ?? '{"name":"bench"}',
    String(options.inFlight),
    String(options.durationMs),
    JSON.stringify(options.headers ?? {}),
  ]
  const text = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, ['--conditions=source', script, ...args], (error, stdout, stderr) => {
      if (error) reject(new Error(`the load generator failed: ${stderr}`, { cause: error }))
      else resolve(stdout)
    })
  })
  const measured = JSON.parse(text) as Measured
  if (measured.failures > 0 || measured.requests === 0) {
    throw new Error(
      `${measured.failures} of ${measured.requests} requests to ${url} failed: ${measured.firstFailure}`,
    )
  }
  return measured
}

export const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
