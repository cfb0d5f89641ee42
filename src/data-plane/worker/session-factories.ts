import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'

import type { BootableSession, GuestLogRecord, GuestSession } from '#data-plane/runtime-api/port.ts'
import type { SettlingSession } from '#data-plane/worker/guest-run.ts'

/** How the worker gets its sessions; src/bin knows the implementations. */
export interface SessionFactories {
  /** Over the control socket of one run. The session owns the socket. */
  framed(options: {
    readonly control: Duplex
    readonly maxResponseBytes: number
    readonly onLog: (record: GuestLogRecord) => void
    readonly onOutput: (chunk: Buffer) => void
  }): BootableSession
  /** Over the sandbox's listener, which outlives the session: each run of the guest gets a new session on it. */
  http(options: {
    readonly server: Server
    readonly maxResponseBytes: number
  }): GuestSession | SettlingSession
}
