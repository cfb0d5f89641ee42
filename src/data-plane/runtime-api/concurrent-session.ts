/**
 * The Runtime API 2018-06-01 for a runtime that runs several invocations at once (Lambda Managed Instances): it may ask
 * for the next one at any time, from as many connections as it likes, and answers each by its id in any order.
 */
import type { GuestInvocation, ResponseStream } from '#contracts/invocation.ts'
import { readErrorBody, runtimeErrorType } from '#data-plane/runtime-api/error-body.ts'
import type { Reply, RequestHandler } from '#data-plane/runtime-api/http-connection.ts'
import type { RequestHead } from '#data-plane/runtime-api/http-head.ts'
import * as replies from '#data-plane/runtime-api/http-replies.ts'
import { answerWith, type RouteService } from '#data-plane/runtime-api/http-service.ts'
import { nextReply } from '#data-plane/runtime-api/next-reply.ts'
import {
  ChannelClosed,
  type ConcurrentSession,
  type InitOutcome,
  type SessionOutcome,
} from '#data-plane/runtime-api/port.ts'
import { createStreamedAnswer } from '#data-plane/runtime-api/streamed-answer.ts'

interface Running {
  readonly given: GuestInvocation
  readonly stream: ResponseStream | undefined
  readonly end: PromiseWithResolvers<SessionOutcome>
  /** The runtime has begun to answer; a second answer is refused. */
  answering: boolean
  /** Its caller waits no more. */
  abandoned: boolean
}

/** So many times what may run at once may be left unanswered; a runtime that leaves more is of no use any more. */
const MAX_ABANDONED_SHARE = 2
const EMPTY = Buffer.alloc(0)

/** Answers a runtime at `service`, whose server is the caller's affair. */
export function createConcurrentSession(options: {
  readonly service: Pick<RouteService, 'add'>
  readonly maxResponseBytes: number
  /** Invocations that are given to it at the same time, at most. */
  readonly maxConcurrency: number
}): ConcurrentSession {
  const { service, maxResponseBytes } = options
  let closed: ChannelClosed | undefined
  let initOutcome: InitOutcome | undefined
  const initWaiters: PromiseWithResolvers<InitOutcome>[] = []
  /** Not given to the runtime yet, oldest first. */
  const waiting = new Set<Running>()
  /** Given to the runtime, by request id; those whose caller has given up are here until they are answered. */
  const running = new Map<string, Running>()
  /** Calls of /next that wait, oldest first. */
  const polls = new Set<{ readonly respond: (reply: Reply) => boolean }>()

  const settleInit = (outcome: InitOutcome) => {
    if (initOutcome) return
    initOutcome = outcome
    for (const waiter of initWaiters.splice(0)) waiter.resolve(outcome)
  }

  const end = (invocation: Running, outcome: SessionOutcome) => {
    running.delete(invocation.given.requestId)
    invocation.end.resolve(outcome)
  }

  const deliver = () => {
    for (const invocation of waiting) {
      const [poll] = polls
      if (!poll) return
      polls.delete(poll)
      if (!poll.respond(nextReply(invocation.given))) {
        deliver()
        return
      }
      waiting.delete(invocation)
      running.set(invocation.given.requestId, invocation)
    }
  }

  const refuse = answerWith

  const next = (): RequestHandler => {
    if (initOutcome?.kind === 'error') return refuse(replies.invalidStateTransition('InitError', 'Ready'))
    let poll: { readonly respond: (reply: Reply) => boolean } | undefined
    return {
      keepBytes: 0,
      finish({ respond }) {
        poll = { respond }
        polls.add(poll)
        settleInit({ kind: 'ready' })
        deliver()
      },
      gone() {
        if (poll) polls.delete(poll)
      },
    }
  }

  /** The invocation that a call answers; from then on no other call may. */
  const take = (id: string): Running | undefined => {
    const invocation = running.get(id)
    if (!invocation || invocation.answering) return undefined
    invocation.answering = true
    return invocation
  }

  const response = (head: RequestHead, id: string): RequestHandler => {
    const invocation = take(id)
    if (!invocation) return refuse(replies.INVALID_REQUEST_ID)
    const mode = head.headers.get('lambda-runtime-function-response-mode') ?? ''
    if (mode !== '' && mode !== 'streaming') {
      end(invocation, { kind: 'error', errorType: 'Runtime.InvalidResponseModeHeader', payload: EMPTY })
      return refuse(replies.INVALID_RESPONSE_MODE)
    }
    let complete = false
    const contentType = head.headers.get('content-type')
    const stream = mode === 'streaming' ? invocation.stream : undefined
    const answer = stream && createStreamedAnswer({ stream, contentType, maxResponseBytes })
    return {
      keepBytes: maxResponseBytes,
      ...(answer && { take: (piece: Buffer) => answer.push(piece) }),
      finish({ bytes, sizeBytes, trailers, respond }) {
        complete = true
        const failure = trailers.get('lambda-runtime-function-error-type')
        if (failure !== undefined && failure !== '') {
          const document = trailers.get('lambda-runtime-function-error-body') ?? ''
          const payload = Buffer.from(document, 'base64')
          end(invocation, { kind: 'error', errorType: runtimeErrorType(failure), payload })
          respond(replies.ACCEPTED)
          return
        }
        const outcome: SessionOutcome = answer
          ? answer.end()
          : bytes === undefined
            ? { kind: 'too-large', sizeBytes }
            : { kind: 'response', payload: bytes }
        end(invocation, outcome)
        respond(
          outcome.kind === 'too-large'
            ? replies.requestEntityTooLarge(outcome.limitBytes ?? maxResponseBytes)
            : replies.ACCEPTED,
        )
      },
      gone() {
        if (complete) return
        end(invocation, { kind: 'error', errorType: 'Runtime.TruncatedResponse', payload: EMPTY })
      },
    }
  }

  const invocationError = (head: RequestHead, id: string): RequestHandler => {
    const invocation = take(id)
    if (!invocation) return refuse(replies.INVALID_REQUEST_ID)
    let complete = false
    const errorType = runtimeErrorType(head.headers.get('lambda-runtime-function-error-type'))
    return {
      keepBytes: maxResponseBytes,
      finish({ bytes, sizeBytes, respond }) {
        complete = true
        if (bytes === undefined) {
          end(invocation, { kind: 'too-large', sizeBytes })
          respond(replies.requestEntityTooLarge(maxResponseBytes))
          return
        }
        end(invocation, { kind: 'error', errorType, payload: readErrorBody(head, bytes) })
        respond(replies.ACCEPTED)
      },
      gone() {
        if (!complete) end(invocation, { kind: 'error', errorType, payload: EMPTY })
      },
    }
  }

  /** As soon as one worker of the runtime is ready the environment is; errors of others are theirs. */
  const initError = (head: RequestHead): RequestHandler => {
    if (initOutcome) return refuse(replies.invalidStateTransition('Ready', 'InitError'))
    const errorType = runtimeErrorType(head.headers.get('lambda-runtime-function-error-type'))
    let complete = false
    return {
      keepBytes: maxResponseBytes,
      finish({ bytes, respond }) {
        complete = true
        settleInit({ kind: 'error', errorType, payload: bytes ?? EMPTY })
        respond(bytes === undefined ? replies.requestEntityTooLarge(maxResponseBytes) : replies.ACCEPTED)
      },
      gone() {
        if (!complete) settleInit({ kind: 'error', errorType, payload: EMPTY })
      },
    }
  }

  const runtime = '/2018-06-01/runtime'
  const stopServing = service.add([
    { method: 'GET', path: `${runtime}/invocation/next`, open: next },
    { method: 'POST', path: `${runtime}/invocation/{id}/response`, open: response },
    { method: 'POST', path: `${runtime}/invocation/{id}/error`, open: invocationError },
    { method: 'POST', path: `${runtime}/init/error`, open: initError },
    { method: 'GET', path: '/2018-06-01/ping', open: () => refuse(replies.PONG) },
  ])

  const close = (reason: string) => {
    if (closed) return
    closed = new ChannelClosed(reason)
    stopServing()
    const pending = [...waiting, ...running.values()]
    waiting.clear()
    running.clear()
    for (const waiter of initWaiters.splice(0)) waiter.reject(closed)
    for (const invocation of pending) {
      // Whoever gave up before listens no more.
      invocation.end.promise.catch(() => {})
      invocation.end.reject(closed)
    }
  }

  return {
    init() {
      if (closed) return Promise.reject(closed)
      if (initOutcome) return Promise.resolve(initOutcome)
      const waiter = Promise.withResolvers<InitOutcome>()
      initWaiters.push(waiter)
      return waiter.promise
    },
    holds: (requestId) => running.has(requestId),
    invoke(given, stream) {
      if (closed) return Promise.reject(closed)
      if (running.has(given.requestId)) {
        return Promise.reject(new Error('The runtime has an invocation of this id already'))
      }
      const invocation: Running = {
        given,
        stream,
        end: Promise.withResolvers(),
        answering: false,
        abandoned: false,
      }
      waiting.add(invocation)
      deliver()
      return invocation.end.promise
    },
    abandon(requestId) {
      for (const invocation of waiting) {
        if (invocation.given.requestId === requestId) waiting.delete(invocation)
      }
      const invocation = running.get(requestId)
      if (invocation) invocation.abandoned = true
      let abandoned = 0
      for (const held of running.values()) if (held.abandoned) abandoned++
      if (abandoned > MAX_ABANDONED_SHARE * options.maxConcurrency) {
        close('The runtime does not answer any more')
      }
    },
    close: () => close('The session was closed'),
  }
}
