/** Waiting for a function to settle, with progress for whoever watches. */
import type { Client } from './client.ts'
import type { Output } from './command.ts'

export interface FunctionConfiguration {
  readonly FunctionName: string
  readonly FunctionArn: string
  readonly Runtime?: string
  readonly Handler?: string
  readonly MemorySize: number
  readonly Timeout: number
  readonly CodeSize: number
  readonly CodeSha256: string
  readonly LastModified: string
  readonly Version: string
  readonly State?: string
  readonly StateReason?: string
  readonly LastUpdateStatus?: string
  readonly LastUpdateStatusReason?: string
}

const POLL_MS = 100
const DEADLINE_MS = 10 * 60_000

/** Resolves when the function is Active and its last update is through; throws with AWS's reason when it failed. */
export async function waitUntilReady(client: Client, name: string, out: Output, signal: AbortSignal) {
  const until = Date.now() + DEADLINE_MS
  let told = ''
  for (;;) {
    const config = await client.json<FunctionConfiguration>(
      'GET',
      `/2015-03-31/functions/${encodeURIComponent(name)}/configuration`,
    )
    if (config.State === 'Failed')
      throw new Error(`${name} failed: ${config.StateReason ?? 'no reason given'}`)
    if (config.LastUpdateStatus === 'Failed') {
      throw new Error(`The update of ${name} failed: ${config.LastUpdateStatusReason ?? 'no reason given'}`)
    }
    if (config.State !== 'Pending' && config.LastUpdateStatus !== 'InProgress') return config
    const now = config.State === 'Pending' ? (config.StateReason ?? 'Pending') : 'The update is in progress'
    if (now !== told) out.note(now)
    told = now
    if (Date.now() > until) throw new Error(`${name} is still not ready after ten minutes: ${now}`)
    signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
