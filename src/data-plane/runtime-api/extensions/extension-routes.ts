/** AWS's Extensions API 2020-01-01 over HTTP, as rows for the router of an environment's Runtime API. */
import type { ExtensionEvent, ExtensionRefusal, ExtensionRegistry } from '#data-plane/runtime-api/port.ts'
import type { Reply, RequestHandler } from '#data-plane/runtime-api/http-connection.ts'
import type { RequestHead } from '#data-plane/runtime-api/http-head.ts'
import * as replies from '#data-plane/runtime-api/http-replies.ts'
import { answerWith } from '#data-plane/runtime-api/http-service.ts'
import type { Route } from '#data-plane/runtime-api/http-router.ts'
import type { Random } from '#kernel/random.ts'

/** What a registration is told of the function. */
export interface FunctionFacts {
  readonly functionName: string
  readonly functionVersion: string
  readonly handler: string
  readonly accountId: string
}

/** A registration is a short list of events. */
const MAX_BODY_BYTES = 65_536
const IDENTIFIER = 'lambda-extension-identifier'
const ERROR_TYPE = 'lambda-extension-function-error-type'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const refused = ({ errorType, errorMessage }: ExtensionRefusal): Reply =>
  replies.problem(403, errorType, errorMessage)

/** The caller's identifier, or the refusal of a call that has none. */
export function extensionIdOf(head: RequestHead): string | Reply {
  const id = head.headers.get(IDENTIFIER) ?? ''
  if (id === '')
    return replies.problem(
      403,
      'Extension.MissingExtensionIdentifier',
      'Missing Lambda-Extension-Identifier header',
    )
  if (!UUID.test(id))
    return replies.problem(403, 'Extension.InvalidExtensionIdentifier', 'Invalid Lambda-Extension-Identifier')
  return id.toLowerCase()
}

function readEvents(bytes: Buffer | undefined): readonly unknown[] | ExtensionRefusal {
  const bad = (errorMessage: string) => ({ errorType: 'InvalidRequestFormat', errorMessage })
  if (bytes === undefined) return bad('the body is too long')
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    // The words are the parser's; AWS shows those of its own.
    return bad(error instanceof Error ? error.message : String(error))
  }
  if (typeof value !== 'object' || value === null) return bad('the body is no JSON object')
  const { events = [], configurationKeys = [] } = value as Record<string, unknown>
  if (Array.isArray(configurationKeys) && configurationKeys.length > 0)
    return bad('configurationKeys are deprecated; use environment variables instead')
  return Array.isArray(events) ? events : events === null ? [] : bad('events is no list')
}

export function extensionRoutes(options: {
  readonly registry: ExtensionRegistry
  readonly facts: FunctionFacts
  readonly random: Random
}): readonly Route[] {
  const { registry, facts, random } = options
  const common = {
    functionName: facts.functionName,
    functionVersion: facts.functionVersion,
    handler: facts.handler,
  }

  const register = (head: RequestHead): RequestHandler => {
    const name = head.headers.get('lambda-extension-name') ?? ''
    if (name === '')
      return answerWith(replies.problem(403, 'Extension.InvalidExtensionName', 'Empty extension name'))
    const features = (head.headers.get('lambda-extension-accept-feature') ?? '').split(',')
    const shown = features.some((feature) => feature.trim() === 'accountId') ? facts : common
    return {
      keepBytes: MAX_BODY_BYTES,
      finish({ bytes, respond }) {
        const events = readEvents(bytes)
        const registered = 'errorType' in events ? events : registry.register(name, events)
        respond(
          'errorType' in registered
            ? refused(registered)
            : {
                ...replies.json(200, shown),
                headerLines: `Lambda-Extension-Identifier: ${registered.id}\r\n`,
              },
        )
      },
    }
  }

  const next = (head: RequestHead): RequestHandler => {
    const id = extensionIdOf(head)
    if (typeof id !== 'string') return answerWith(id)
    let waiting: { cancel(): void } | undefined
    return {
      keepBytes: 0,
      finish({ respond }) {
        const asked = registry.next(id, (event) => respond(eventReply(event)))
        if ('errorType' in asked) respond(refused(asked))
        else waiting = asked
      },
      gone: () => waiting?.cancel(),
    }
  }
  const eventReply = (event: ExtensionEvent): Reply => ({
    ...replies.json(200, event),
    headerLines: `Lambda-Extension-Event-Identifier: ${random.uuid()}\r\n`,
  })

  const report = (phase: 'init' | 'exit') => (head: RequestHead) => {
    const id = extensionIdOf(head)
    if (typeof id !== 'string') return answerWith(id)
    const errorType = head.headers.get(ERROR_TYPE) ?? ''
    if (errorType === '')
      return answerWith(
        replies.problem(403, 'Extension.MissingHeader', 'Lambda-Extension-Function-Error-Type not found'),
      )
    const problem = registry.report(id, phase, errorType.slice(0, 1024))
    return answerWith(problem ? refused(problem) : replies.ACCEPTED)
  }

  const base = '/2020-01-01/extension'
  return [
    { method: 'POST', path: `${base}/register`, open: register },
    { method: 'GET', path: `${base}/event/next`, open: next },
    { method: 'POST', path: `${base}/init/error`, open: report('init') },
    { method: 'POST', path: `${base}/exit/error`, open: report('exit') },
  ]
}
