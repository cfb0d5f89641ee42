import type { Server } from 'node:net'

import type { Sandbox } from '#data-plane/sandbox/port.ts'
import type { Subject, Undo } from '#data-plane/worker/start/stage.ts'

export interface RuntimeEndpoint {
  readonly server: Server
  /** `host:port` as the guest names it. */
  readonly address: string
}

/** The listener of the Runtime API, for runtimes that speak HTTP. */
export async function endpointHook(
  { runtime }: Subject,
  sandbox: Sandbox,
  undo: Undo,
): Promise<RuntimeEndpoint | undefined> {
  if (runtime.protocol !== 'http') return undefined
  const endpoint = await sandbox.listen()
  // Not awaited to the end: the session has closed its connections, and destroying the sandbox ends the rest.
  undo.defer(() => void endpoint.server.close())
  return endpoint
}
