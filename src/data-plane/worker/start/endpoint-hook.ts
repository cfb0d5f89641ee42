import type { Server } from 'node:net'

import type { Sandbox } from '#data-plane/sandbox/port.ts'
import type { Undo } from '#data-plane/worker/start/stage.ts'

export interface RuntimeEndpoint {
  readonly server: Server
  /** `host:port` as the guest names it. */
  readonly address: string
}

/** The listener of the Runtime API, which extensions use beside every runtime. `made`: it was opened ahead. */
export async function endpointHook(
  sandbox: Sandbox,
  made: RuntimeEndpoint | undefined,
  undo: Undo,
): Promise<RuntimeEndpoint> {
  const endpoint = made ?? (await sandbox.listen())
  // Not awaited to the end: the session has closed its connections, and destroying the sandbox ends the rest.
  undo.defer(() => void endpoint.server.close())
  return endpoint
}
