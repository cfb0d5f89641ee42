/** The sessions that a worker is given: one way to talk for each kind of runtime, and the APIs beside them. */
import { createConcurrentSession } from '#data-plane/runtime-api/concurrent-session.ts'
import {
  createExtensionApi,
  type ServedExtensionApi,
} from '#data-plane/runtime-api/extensions/extension-api.ts'
import { serveCredentials } from '#data-plane/runtime-api/credentials-service.ts'
import { createFramedSession } from '#data-plane/runtime-api/framed-session.ts'
import { createHttpSession, type HttpSession } from '#data-plane/runtime-api/http-session.ts'
import type { ConcurrentSession, ExtensionApi } from '#data-plane/runtime-api/port.ts'
import { createTelemetryHub } from '#data-plane/runtime-api/telemetry/telemetry-hub.ts'

export const runtimeSessions = {
  framed: createFramedSession,
  http: (options: { readonly api: ExtensionApi; readonly maxResponseBytes: number }): HttpSession =>
    createHttpSession({
      // Made below; whoever has one got it here.
      service: options.api as ServedExtensionApi,
      maxResponseBytes: options.maxResponseBytes,
    }),
  concurrent: (options: {
    readonly api: ExtensionApi
    readonly maxResponseBytes: number
    readonly maxConcurrency: number
  }): ConcurrentSession =>
    createConcurrentSession({
      service: options.api as ServedExtensionApi,
      maxResponseBytes: options.maxResponseBytes,
      maxConcurrency: options.maxConcurrency,
    }),
  credentials: serveCredentials,
  telemetry: createTelemetryHub,
  extensionApi: createExtensionApi,
}
