/**
 * The one door of every AWS API: tells services apart, checks signatures, collects bodies under limits, calls the
 * operation's handler and writes its answer. Own paths of the program and function URLs are handled before it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

import { LambdaError, serviceFailure } from '#contracts/errors.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Authorise } from '#wire/authorise.ts'
import { createAwsJson } from '#wire/aws-json.ts'
import { maxBodyBytes, requestTooLarge } from '#wire/body-limits.ts'
import { notBuilt, unknownOperation, writeRestError } from '#wire/errors.ts'
import { refuseForeignOrigin } from '#wire/foreign-origin.ts'
import { createLocator, type Locatable, type Location } from '#wire/locate.ts'
import type { ServiceModel } from '#wire/model.ts'
import type { Protocol, RequestHead, WireResponse } from '#wire/protocol.ts'
import { createQuery } from '#wire/query.ts'
import { ClientGone, discardRest, hasBody, readBody } from '#wire/request-body.ts'
import { DoorContext } from '#wire/request-context.ts'
import { respond } from '#wire/respond.ts'
import { createRestJson } from '#wire/rest-json.ts'
import type { OperationHandler, OperationHandlers, Principal } from '#wire/service.ts'
import type { Credential } from '#wire/sigv4-parse.ts'
import { createVerifier, type CredentialLookup, type VerifiedSignature } from '#wire/sigv4-verify.ts'

export interface DoorService {
  readonly model: ServiceModel
  /** An operation without a handler answers 501. */
  readonly handlers: OperationHandlers
}

export type DoorAuth =
  /** Any credentials, or none. Known access keys still say who calls. */
  | { readonly mode: 'off'; readonly credentials?: CredentialLookup }
  | {
      readonly mode: 'signature'
      readonly credentials: CredentialLookup
      /** Asked before an operation runs; left out: who has a key may do everything in its account. */
      readonly authorise?: Authorise
    }

/** What went wrong on our side. */
export interface DoorLogger {
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

export interface DoorOptions {
  readonly services: readonly DoorService[]
  readonly auth: DoorAuth
  /** Of callers whose access key names no other. */
  readonly account: string
  /** Of requests whose signature names none. */
  readonly region: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: DoorLogger
  /** Bytes; AWS's limits by default. */
  readonly maxBody?: (operation: string) => number
  /** A body that makes no progress for this long is given up; 20 s by default. */
  readonly bodyIdleMs?: number
  /** Longest time for a whole body; 5 minutes by default. */
  readonly bodyTotalMs?: number
}

/**
 * A handler for `node:http`'s `request` event. Give it to `checkContinue` too, with `awaitsContinue`, so that a
 * client which asks first is refused before it sends a body that is too large.
 */
export type Door = (
  request: IncomingMessage,
  response: ServerResponse,
  options?: { readonly awaitsContinue?: boolean },
) => void

interface Service extends Locatable {
  readonly protocolOf: (head: RequestHead) => Protocol
  readonly handlers: OperationHandlers
}

export function createDoor(options: DoorOptions): Door {
  const { auth, clock, random, logger } = options
  const services = options.services.map(prepare)
  const locate = createLocator(services)
  const verifier =
    auth.mode === 'signature' ? createVerifier({ credentials: auth.credentials, clock }) : undefined
  const authorise = auth.mode === 'signature' ? auth.authorise : undefined
  const limitOf = options.maxBody ?? maxBodyBytes
  const idleMs = options.bodyIdleMs ?? 20_000
  const totalMs = options.bodyTotalMs ?? 300_000
  const root = `arn:aws:iam::${options.account}:root`

  /** Who calls, when nobody checks: the owner of a known key, or the account's root. */
  const assumed = (credential: Credential | undefined): Principal => {
    const accessKeyId = credential?.accessKeyId ?? 'anonymous'
    const known = credential && auth.credentials?.(accessKeyId)
    return { accessKeyId, account: known?.account ?? options.account, arn: known?.arn ?? root }
  }

  const principalOf = (
    verified: VerifiedSignature | undefined,
    credential: Credential | undefined,
  ): Principal => {
    if (!verified) return assumed(credential)
    const { account, arn } = verified.key
    return { accessKeyId: verified.credential.accessKeyId, account, arn }
  }

  const answer = async (
    head: RequestHead,
    { service, credential }: Location<Service>,
    { request, response, requestId, awaitsContinue }: Exchange,
  ): Promise<WireResponse> => {
    if (!verifier) refuseForeignOrigin(request.headers.origin)
    const verified = verifier?.begin(head, service.model.signingName)
    const protocol = service.protocolOf(head)
    const early = protocol.route(head)
    // An operation that is not built is refused before its body is read.
    if (early) handlerOf(service, early.operation)
    const maxBytes = limitOf(early?.operation ?? '')
    const tooLarge = () => requestTooLarge(early?.operation ?? service.model.name, maxBytes)
    if (awaitsContinue && Number(request.headers['content-length'] ?? 0) <= maxBytes) response.writeContinue()
    const body = hasBody(request)
      ? await readBody(request, { maxBytes, idleMs, totalMs }, clock, tooLarge)
      : NO_BODY
    verified?.finish(body)
    const route = early ?? protocol.route(head, body)
    if (!route) throw unknownOperation()
    const { operation } = route
    const handler = handlerOf(service, operation)
    const input = protocol.read(route, head, body)
    const principal = principalOf(verified, credential)
    const region = regionOf(credential) ?? options.region
    if (authorise) {
      const pending = authorise({
        service: service.model.name,
        operation,
        input,
        principal,
        region,
        sourceIp: request.socket.remoteAddress,
        userAgent: head.headers['user-agent'],
      })
      if (pending) await pending
    }
    const context = new DoorContext(request, response, {
      requestId,
      account: principal.account,
      region,
      principal,
      isAuthorised: authorise !== undefined,
    })
    return protocol.write(operation, await handler(input as never, context), requestId)
  }

  /** The error's own answer; what is not meant for clients is logged and becomes ServiceException. */
  const failureAnswer = (
    error: unknown,
    head: RequestHead,
    service: Service | undefined,
    requestId: string,
  ): WireResponse => {
    let told: LambdaError
    if (error instanceof LambdaError) {
      told = error
    } else {
      logger.error('An operation failed unexpectedly', {
        requestId,
        service: service?.model.name,
        error: describe(error),
      })
      told = serviceFailure('An internal error occurred')
    }
    return service ? service.protocolOf(head).writeError(told, requestId) : writeRestError(NO_MODEL, told)
  }

  const serve = async (exchange: Exchange): Promise<void> => {
    const { request, response, requestId } = exchange
    let service: Service | undefined
    let wire: WireResponse
    const head = headOf(request)
    try {
      const location = locate(head)
      service = location.service
      wire = await answer(head, location, exchange)
    } catch (error) {
      if (error instanceof ClientGone) return
      wire = failureAnswer(error, head, service, requestId)
    }
    try {
      const unread = !request.complete && hasBody(request)
      // A client that still waits for "100 Continue" may send its body or not: the connection can't be used again.
      const close = unread && exchange.awaitsContinue ? CLOSE : NOTHING
      const rest = unread ? discardRest(request, clock) : undefined
      // Who waits for "100 Continue" sends nothing more, so nothing is waited for.
      const mayEnd = exchange.awaitsContinue ? undefined : rest
      await respond(response, wire, ['x-amzn-RequestId', requestId, ...close], mayEnd)
    } catch (error) {
      // The head is out already, or could not be written at all: the client must not take this for a whole answer.
      logger.error('A response could not be sent', {
        requestId,
        service: service?.model.name,
        error: describe(error),
      })
      response.destroy()
    }
  }

  return (request, response, { awaitsContinue = false } = {}) => {
    void serve({ request, response, requestId: random.uuid(), awaitsContinue })
  }
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly requestId: string
  readonly awaitsContinue: boolean
}

const NO_BODY = new Uint8Array()
const NOTHING: readonly string[] = []
const CLOSE: readonly string[] = ['Connection', 'close']
/** For answers to requests that belong to no service. */
const NO_MODEL: ServiceModel = {
  name: 'none',
  protocol: 'rest-json',
  signingName: '',
  validation: { error: 'ValidationException', quotesValues: false, elementsNotNull: false },
  operations: {},
  shapes: {},
  errors: { ServiceException: { status: 500, message: 'Message' } },
}

function prepare({ model, handlers }: DoorService): Service {
  if (model.protocol === 'rest-json') {
    const protocol = createRestJson(model)
    return { model, handlers, protocolOf: () => protocol, knows: (path) => protocol.knows(path) }
  }
  const query = model.query && createQuery(model)
  const knows: Service['knows'] = (path, text) => query?.knows(path, text) ?? false
  if (model.protocol === 'aws-query' && query) return { model, handlers, protocolOf: () => query, knows }
  const json = createAwsJson(model)
  // Clients of both protocols come to the same address; only those of JSON name the operation in a header.
  const protocolOf = (head: RequestHead) => (query && !head.headers['x-amz-target'] ? query : json)
  return { model, handlers, protocolOf, knows }
}

function handlerOf({ model, handlers }: Service, operation: string): OperationHandler<never, object> {
  const handler = Object.hasOwn(handlers, operation) ? handlers[operation] : undefined
  if (!handler) throw notBuilt(model.name, operation)
  return handler
}

function headOf({ method = 'GET', url = '/', headers }: IncomingMessage): RequestHead {
  const question = url.indexOf('?')
  if (question === -1) return { method, path: url, query: '', headers }
  return { method, path: url.slice(0, question), query: url.slice(question + 1), headers }
}

const REGION = /^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/

const regionOf = (credential: Credential | undefined) =>
  credential && REGION.test(credential.region) ? credential.region : undefined

const describe = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error))
