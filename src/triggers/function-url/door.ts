/** Answers requests to function URLs: finds the function, makes the event, invokes it, turns its answer into HTTP. */
import type { IncomingMessage, ServerResponse } from 'node:http'

import { LambdaError } from '#contracts/errors.ts'
import { LATEST, type FunctionId } from '#contracts/arn.ts'
import type { FunctionUrl } from '#contracts/function-url.ts'
import { MAX_SYNC_PAYLOAD_BYTES } from '#contracts/limits.ts'
import type { InvocationRequest } from '#contracts/invocation.ts'
import { formatTraceHeader, newTraceRoot, parseTraceHeader } from '#contracts/trace-header.ts'
import type { StreamingFrontend } from '#data-plane/frontend/port.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Logger } from '#observability/port.ts'
import { corsHeaders, preflightHeaders } from '#triggers/function-url/cors.ts'
import { urlEvent, type UrlCaller } from '#triggers/function-url/event.ts'
import { locateUrl, type LocatedUrl } from '#triggers/function-url/locate.ts'
import { badGateway, urlResponse, type UrlResponse } from '#triggers/function-url/response.ts'
import { writeStream } from '#triggers/function-url/stream-response.ts'
import { ClientGone, readBody } from '#wire/request-body.ts'
import type { RequestHead } from '#wire/protocol.ts'
import type { VerifiedSignature } from '#wire/sigv4-verify.ts'

export interface FunctionUrlDoorOptions {
  readonly frontend: StreamingFrontend
  /** The URL's document; undefined when there is none. */
  readonly find: (urlId: string) => FunctionUrl | undefined | Promise<FunctionUrl | undefined>
  /** Checks the signature of requests to URLs of type AWS_IAM; left out, anybody passes as the account's root. */
  readonly verify?: (head: RequestHead) => VerifiedSignature
  /** Whether the caller, or anybody for type NONE, may use the URL; left out, everybody may. */
  readonly mayUse?: (request: {
    readonly id: FunctionId
    readonly qualifier: string | undefined
    readonly authType: FunctionUrl['authType']
    readonly caller: UrlCaller | undefined
    readonly sourceIp: string | undefined
    readonly userAgent: string | undefined
  }) => Promise<boolean>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

const BODY_IDLE_MS = 20_000
const BODY_TOTAL_MS = 300_000
/** Recorded from AWS, for URLs that do not exist as well. */
const FORBIDDEN = JSON.stringify({
  Message:
    'Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html',
})

/** Returns false at once when the request is not for a function URL. */
export function createFunctionUrlDoor(
  options: FunctionUrlDoorOptions,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const { frontend, find, verify, mayUse, clock, random, logger } = options

  const serve = async (
    request: IncomingMessage,
    response: ServerResponse,
    located: LocatedUrl,
    sent: { readonly path: string; readonly query: string },
  ) => {
    const requestId = random.uuid()
    let cors: Record<string, string> = {}
    const writeHead = ({ status, headers }: UrlResponse, length?: number) => {
      response.writeHead(status, {
        ...headers,
        ...cors,
        ...(length !== undefined && { 'content-length': length }),
        'x-amzn-requestid': requestId,
      })
    }
    const send = (answer: UrlResponse) => {
      // 204 and 304 have no body, whatever the function says.
      const bodiless = answer.status === 204 || answer.status === 304
      writeHead(answer, bodiless ? undefined : answer.body.byteLength)
      response.end(bodiless || request.method === 'HEAD' ? undefined : answer.body)
    }
    const refuse = (status: number, code: string, body: string) => {
      send({
        status,
        headers: { 'content-type': 'application/json', 'x-amzn-errortype': code },
        body: Buffer.from(body),
      })
    }
    try {
      const url = await find(located.urlId)
      if (!url) {
        refuse(403, 'AccessDeniedException', FORBIDDEN)
        return
      }
      const { origin } = request.headers
      if (
        url.cors &&
        request.method === 'OPTIONS' &&
        request.headers['access-control-request-method'] !== undefined
      ) {
        cors = preflightHeaders(url.cors, origin)
        send({ status: 200, headers: {}, body: new Uint8Array() })
        return
      }
      if (url.cors) cors = corsHeaders(url.cors, origin)
      const head: RequestHead = {
        method: request.method ?? 'GET',
        // What was signed is the path as it was sent.
        path: sent.path,
        query: sent.query,
        headers: request.headers,
      }
      const verified = url.authType === 'AWS_IAM' ? verify?.(head) : undefined
      const limits = { maxBytes: MAX_SYNC_PAYLOAD_BYTES, idleMs: BODY_IDLE_MS, totalMs: BODY_TOTAL_MS }
      const body = await readBody(request, limits, clock, tooLarge)
      verified?.finish(body)
      const caller = callerOf(url, verified)
      const { authType, qualifier } = url
      const may = await mayUse?.({
        id: idOf(url),
        qualifier: qualifier === LATEST ? undefined : qualifier,
        authType,
        caller,
        sourceIp: request.socket.remoteAddress,
        userAgent: request.headers['user-agent'],
      })
      if (may === false) {
        refuse(403, 'AccessDeniedException', FORBIDDEN)
        return
      }
      const traceId = traceOf(request)
      const event = eventFor(request, { url, located, query: sent.query, body, requestId, traceId, caller })
      await invoke(url, response, { requestId, traceId, event, send, writeHead })
    } catch (error) {
      if (error instanceof ClientGone) return
      if (response.headersSent) response.destroy()
      else if (error instanceof LambdaError) refuse(statusOf(error), error.code, messageOf(error))
      else {
        logger.error('A function URL could not be served', { requestId, error: String(error) })
        send(badGateway)
      }
    } finally {
      request.resume()
    }
  }

  const callerOf = (url: FunctionUrl, verified: VerifiedSignature | undefined): UrlCaller | undefined => {
    if (url.authType !== 'AWS_IAM') return undefined
    if (!verified) {
      return { accessKeyId: 'anonymous', account: url.account, arn: `arn:aws:iam::${url.account}:root` }
    }
    const { key, credential } = verified
    return { accessKeyId: credential.accessKeyId, account: key.account, arn: key.arn }
  }

  /** The client's trace, or a new one; the event shows it too (recorded from AWS). */
  const traceOf = ({ headers }: IncomingMessage): string => {
    const given = headers['x-amzn-trace-id']
    const trace = parseTraceHeader(typeof given === 'string' ? given : undefined)
    return formatTraceHeader(trace ?? { root: newTraceRoot(clock.now(), random.hex(24)) })
  }

  const eventFor = (
    request: IncomingMessage,
    parts: {
      readonly url: FunctionUrl
      readonly located: LocatedUrl
      readonly query: string
      readonly body: Uint8Array
      readonly requestId: string
      readonly traceId: string
      readonly caller: UrlCaller | undefined
    },
  ) =>
    urlEvent(
      parts.url,
      {
        method: request.method ?? 'GET',
        path: parts.located.path,
        query: parts.query,
        rawHeaders: request.rawHeaders,
        body: parts.body,
        sourceIp: request.socket.remoteAddress ?? '',
        domainName: (request.headers.host ?? '').replace(/:\d+$/, ''),
        protocol: 'http',
      },
      { requestId: parts.requestId, nowMs: clock.now(), traceId: parts.traceId },
      parts.caller,
    )

  const invoke = async (
    url: FunctionUrl,
    response: ServerResponse,
    exchange: {
      readonly requestId: string
      readonly traceId: string
      readonly event: object
      readonly send: (answer: UrlResponse) => void
      readonly writeHead: (answer: UrlResponse) => void
    },
  ) => {
    const gone = new AbortController()
    response.once('close', () => gone.abort(new ClientGone('The client has gone')))
    const invocation: InvocationRequest = {
      id: idOf(url),
      qualifier: url.qualifier === LATEST ? undefined : url.qualifier,
      requestId: exchange.requestId,
      traceId: exchange.traceId,
      payload: Buffer.from(JSON.stringify(exchange.event)),
      logType: 'None',
      signal: gone.signal,
    }
    if (url.invokeMode === 'BUFFERED') {
      const result = await frontend.invoke(invocation)
      exchange.send(result.functionError ? badGateway : urlResponse(result.payload))
      return
    }
    const answer = await frontend.invokeStreaming(invocation)
    if (answer.streamed) {
      await writeStream(response, answer, exchange.writeHead)
      await answer.end
      return
    }
    const pieces: Uint8Array[] = []
    for await (const piece of answer.chunks) pieces.push(piece)
    const { functionError } = await answer.end
    exchange.send(functionError ? badGateway : urlResponse(Buffer.concat(pieces)))
  }

  return (request, response) => {
    const target = request.url ?? '/'
    const question = target.indexOf('?')
    const path = question < 0 ? target : target.slice(0, question)
    const located = locateUrl(request.headers.host, path)
    if (!located) return false
    const query = question < 0 ? '' : target.slice(question + 1)
    void serve(request, response, located, { path, query })
    return true
  }
}

const idOf = ({ account, region, name }: FunctionUrl): FunctionId => ({ account, region, name })

const tooLarge = () =>
  new LambdaError('RequestEntityTooLargeException', 'Request Entity Too Large', { status: 413 })

/** A URL whose function or alias is gone answers like one that may not be used (recorded for aliases). */
const statusOf = (error: LambdaError) => (error.status === 404 ? 403 : (error.status ?? 500))
const messageOf = (error: LambdaError) =>
  error.status === 404 ? FORBIDDEN : JSON.stringify({ Message: error.message })
