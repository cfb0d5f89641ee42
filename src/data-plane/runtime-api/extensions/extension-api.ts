/** The Extensions, Telemetry and Logs APIs of one environment, put together for one run of its processes. */
import { createExtensionRegistry } from '#data-plane/runtime-api/extensions/extension-registry.ts'
import { extensionRoutes, type FunctionFacts } from '#data-plane/runtime-api/extensions/extension-routes.ts'
import { createRouteService, type RouteService } from '#data-plane/runtime-api/http-service.ts'
import type { ExtensionApi, Telemetry } from '#data-plane/runtime-api/port.ts'
import type { TelemetryHub } from '#data-plane/runtime-api/telemetry/telemetry-hub.ts'
import { telemetryRoutes } from '#data-plane/runtime-api/telemetry/telemetry-routes.ts'
import type { Random } from '#kernel/random.ts'

/** A runtime that speaks HTTP is served at the same address. */
export type ServedExtensionApi = ExtensionApi & RouteService

export function createExtensionApi(options: {
  readonly facts: FunctionFacts
  /** Made by `createTelemetryHub`. */
  readonly telemetry: Telemetry
  readonly random: Random
  /** Invocations that its runtime may run at once; undefined: one. */
  readonly maxConcurrency: number | undefined
}): ServedExtensionApi {
  const { facts, telemetry, random } = options
  const extensions = createExtensionRegistry({ random })
  const service = createRouteService(options.maxConcurrency)
  service.add(extensionRoutes({ registry: extensions, facts, random }))
  service.add(telemetryRoutes({ registry: extensions, hub: telemetry as TelemetryHub }))
  return { extensions, ...service }
}
