import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'

import type {
  BootableSession,
  ConcurrentSession,
  ExtensionApi,
  GuestLogRecord,
  GuestSession,
  Telemetry,
} from '#data-plane/runtime-api/port.ts'
import type { Sandbox } from '#data-plane/sandbox/port.ts'
import type { GuestCredentials } from '#data-plane/worker/guest-environment.ts'
import type { SettlingSession } from '#data-plane/worker/guest-run.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'

/** How the worker gets its sessions; src/bin knows the implementations. */
export interface SessionFactories {
  /** Over the control socket of one run. The session owns the socket. */
  framed(options: {
    readonly control: Duplex
    readonly maxResponseBytes: number
    readonly onLog: (record: GuestLogRecord) => void
    readonly onOutput: (chunk: Buffer) => void
  }): BootableSession
  /** At the address of the extension API of the same run. */
  http(options: {
    readonly api: ExtensionApi
    readonly maxResponseBytes: number
  }): GuestSession | SettlingSession
  /** The same for several invocations at once. */
  concurrent(options: {
    readonly api: ExtensionApi
    readonly maxResponseBytes: number
    readonly maxConcurrency: number
  }): ConcurrentSession
  /** Serves the credentials of the execution role. Returns how to end that. */
  credentials(options: {
    readonly server: Server
    readonly token: string
    readonly now: () => number
    readonly current: () => Promise<GuestCredentials>
  }): () => void
  /** The telemetry of one environment. `connect` reaches what listens on its loopback. */
  telemetry(options: { readonly connect: Sandbox['connect']; readonly clock: Clock }): Telemetry
  /** For one run. */
  extensionApi(options: {
    readonly facts: {
      readonly functionName: string
      readonly functionVersion: string
      readonly handler: string
      readonly accountId: string
    }
    readonly telemetry: Telemetry
    readonly random: Random
    /** Invocations that its runtime may run at once; undefined: one. */
    readonly maxConcurrency: number | undefined
  }): ExtensionApi
}
