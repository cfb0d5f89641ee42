/** The Telemetry API 2022-07-01 and the Logs API 2020-08-15, as rows for the router of an environment's Runtime API. */
import type { ExtensionRegistry } from '#data-plane/runtime-api/port.ts'
import { extensionIdOf } from '#data-plane/runtime-api/extensions/extension-routes.ts'
import type { Reply, RequestHandler } from '#data-plane/runtime-api/http-connection.ts'
import type { RequestHead } from '#data-plane/runtime-api/http-head.ts'
import * as replies from '#data-plane/runtime-api/http-replies.ts'
import { answerWith } from '#data-plane/runtime-api/http-service.ts'
import type { Route } from '#data-plane/runtime-api/http-router.ts'
import {
  readSubscription,
  type TelemetryApi,
} from '#data-plane/runtime-api/telemetry/subscription-request.ts'
import type { TelemetryHub } from '#data-plane/runtime-api/telemetry/telemetry-hub.ts'

const MAX_BODY_BYTES = 65_536
const SUBSCRIBED: Reply = { status: 200, contentType: 'application/json', body: '"OK"' }

/** Types and texts as AWS's own emulators have them; that of the Logs API by analogy. */
const CLOSED = {
  telemetry: replies.problem(403, 'Telemetry.SubscriptionClosed', 'Telemetry API subscription is closed'),
  logs: replies.problem(403, 'Logs.SubscriptionClosed', 'Logs API subscription is closed'),
} as const

export function telemetryRoutes(options: {
  readonly registry: ExtensionRegistry
  readonly hub: TelemetryHub
}): readonly Route[] {
  const { registry, hub } = options
  const subscribe = (api: TelemetryApi) => (head: RequestHead) => {
    const id = extensionIdOf(head)
    if (typeof id !== 'string') return answerWith(id)
    const name = registry.nameOf(id)
    if (name === undefined)
      return answerWith(
        replies.problem(403, 'Extension.UnknownExtensionIdentifier', `Unknown extension ${id}`),
      )
    return {
      keepBytes: MAX_BODY_BYTES,
      finish({ bytes, respond }: Parameters<RequestHandler['finish']>[0]) {
        const wanted = bytes ? readSubscription(api, bytes) : 'the body is too long'
        if (typeof wanted === 'string') respond(replies.problem(400, 'ValidationError', wanted))
        else respond(hub.subscribe(name, wanted) ? SUBSCRIBED : CLOSED[api])
      },
    }
  }
  return [
    { method: 'PUT', path: '/2022-07-01/telemetry', open: subscribe('telemetry') },
    { method: 'PUT', path: '/2020-08-15/logs', open: subscribe('logs') },
  ]
}
