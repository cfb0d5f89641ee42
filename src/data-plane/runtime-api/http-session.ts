/** The session with any other runtime: AWS's Runtime API 2018-06-01 over HTTP, for one guest. */
import type { GuestInvocation, ResponseStream } from '#contracts/invocation.ts'
import { mayFollow } from '#kernel/lifecycle.ts'
import { readErrorBody, runtimeErrorType } from '#data-plane/runtime-api/error-body.ts'
import type { Reply, RequestHandler } from '#data-plane/runtime-api/http-connection.ts'
import type { RequestHead } from '#data-plane/runtime-api/http-head.ts'
import { nextReply } from '#data-plane/runtime-api/next-reply.ts'
import * as replies from '#data-plane/runtime-api/http-replies.ts'
import { answerWith, type RouteService } from '#data-plane/runtime-api/http-service.ts'
import type { GuestSession, InitOutcome, SessionOutcome } from '#data-plane/runtime-api/port.ts'
import { ChannelClosed } from '#data-plane/runtime-api/port.ts'
import type { RuntimeState } from '#data-plane/runtime-api/runtime-state.ts'
import { RUNTIME_MAY_CALL } from '#data-plane/runtime-api/runtime-state.ts'
import { createStreamedAnswer } from '#data-plane/runtime-api/streamed-answer.ts'

export interface HttpSession extends GuestSession {
  /**
   * Resolves when the runtime waits for its next invocation: then everything it does after an answer is done, and it
   * may be frozen. Rejects with `ChannelClosed`.
   */
  idle(): Promise<void>
}

const EMPTY = Buffer.alloc(0)

/** Answers a runtime at `service`, whose server is the caller's affair. */
export function createHttpSession(options: {
  readonly service: Pick<RouteService, 'add'>
  readonly maxResponseBytes: number
}): HttpSession {
  const { service, maxResponseBytes } = options
  let state: RuntimeState = 'Started'
  let closed: ChannelClosed | undefined
  let initOutcome: InitOutcome | undefined
  const initWaiters: PromiseWithResolvers<InitOutcome>[] = []
  const idleWaiters: PromiseWithResolvers<void>[] = []
  let invocation:
    | {
        readonly given: GuestInvocation
        readonly stream: ResponseStream | undefined
        readonly end: PromiseWithResolvers<SessionOutcome>
      }
    | undefined
  /** Known to the API until the runtime asks for the next one, although the invocation has ended by then. */
  let currentId: string | undefined
  /** Calls of /next that wait, oldest first. */
  const polls: { readonly respond: (reply: Reply) => boolean }[] = []

  const settleInit = (outcome: InitOutcome) => {
    initOutcome = outcome
    for (const waiter of initWaiters.splice(0)) waiter.resolve(outcome)
  }

  const endInvocation = (outcome: SessionOutcome) => {
    state = 'RuntimeResponseSentState'
    const { end } = invocation ?? {}
    invocation = undefined
    end?.resolve(outcome)
  }

  /** Gives the waiting invocation to a runtime that waits for one. */
  const deliver = () => {
    while (invocation && (state === 'Ready' || state === 'Running')) {
      const poll = polls.shift()
      if (!poll) return
      if (poll.respond(nextReply(invocation.given))) {
        state = 'Running'
        currentId = invocation.given.requestId
        return
      }
    }
  }

  const refuse = answerWith
  const mayCall = (to: RuntimeState) => mayFollow(RUNTIME_MAY_CALL, state, to)

  const next = (): RequestHandler => {
    if (!mayCall('Ready')) return refuse(replies.invalidStateTransition(state, 'Ready'))
    let poll: (typeof polls)[number] | undefined
    return {
      keepBytes: 0,
      finish({ respond }) {
        // A runtime that runs is given its invocation again: it may have lost it with its connection.
        if (state !== 'Running') {
          state = 'Ready'
          currentId = undefined
        }
        poll = { respond }
        polls.push(poll)
        if (!initOutcome) settleInit({ kind: 'ready' })
        for (const waiter of idleWaiters.splice(0)) waiter.resolve()
        deliver()
      },
      gone() {
        const at = poll ? polls.indexOf(poll) : -1
        if (at !== -1) polls.splice(at, 1)
      },
    }
  }

  const response = (head: RequestHead, id: string): RequestHandler => {
    if (id === '' || id !== currentId) return refuse(replies.INVALID_REQUEST_ID)
    if (!mayCall('InvocationResponse'))
      return refuse(replies.invalidStateTransition(state, 'InvocationResponse'))
    state = 'InvocationResponse'
    const mode = head.headers.get('lambda-runtime-function-response-mode') ?? ''
    if (mode !== '' && mode !== 'streaming') {
      endInvocation({ kind: 'error', errorType: 'Runtime.InvalidResponseModeHeader', payload: EMPTY })
      return refuse(replies.INVALID_RESPONSE_MODE)
    }
    let complete = false
    const contentType = head.headers.get('content-type')
    const stream = mode === 'streaming' ? invocation?.stream : undefined
    const answer = stream && createStreamedAnswer({ stream, contentType, maxResponseBytes })
    return {
      keepBytes: maxResponseBytes,
      ...(answer && { take: (piece: Buffer) => answer.push(piece) }),
      finish({ bytes, sizeBytes, trailers, respond }) {
        complete = true
        const failure = trailers.get('lambda-runtime-function-error-type')
        if (failure !== undefined && failure !== '') {
          const document = trailers.get('lambda-runtime-function-error-body') ?? ''
          endInvocation({
            kind: 'error',
            errorType: runtimeErrorType(failure),
            payload: Buffer.from(document, 'base64'),
          })
          respond(replies.ACCEPTED)
          return
        }
        const end: SessionOutcome = answer
          ? answer.end()
          : bytes === undefined
            ? { kind: 'too-large', sizeBytes }
            : { kind: 'response', payload: bytes }
        endInvocation(end)
        respond(
          end.kind === 'too-large'
            ? replies.requestEntityTooLarge(end.limitBytes ?? maxResponseBytes)
            : replies.ACCEPTED,
        )
      },
      gone() {
        if (!complete)
          endInvocation({ kind: 'error', errorType: 'Runtime.TruncatedResponse', payload: EMPTY })
      },
    }
  }

  const invocationError = (head: RequestHead, id: string): RequestHandler => {
    if (id === '' || id !== currentId) return refuse(replies.INVALID_REQUEST_ID)
    const to = 'InvocationErrorResponse'
    if (!mayCall(to)) return refuse(replies.invalidStateTransition(state, to))
    state = to
    let complete = false
    const errorType = runtimeErrorType(head.headers.get('lambda-runtime-function-error-type'))
    return {
      keepBytes: maxResponseBytes,
      finish({ bytes, sizeBytes, respond }) {
        complete = true
        if (bytes === undefined) {
          endInvocation({ kind: 'too-large', sizeBytes })
          respond(replies.requestEntityTooLarge(maxResponseBytes))
          return
        }
        endInvocation({ kind: 'error', errorType, payload: readErrorBody(head, bytes) })
        respond(replies.ACCEPTED)
      },
      gone() {
        if (!complete) endInvocation({ kind: 'error', errorType, payload: EMPTY })
      },
    }
  }

  const initError = (head: RequestHead): RequestHandler => {
    if (!mayCall('InitError')) return refuse(replies.invalidStateTransition(state, 'InitError'))
    state = 'InitError'
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

  return {
    init() {
      if (closed) return Promise.reject(closed)
      if (initOutcome) return Promise.resolve(initOutcome)
      const waiter = Promise.withResolvers<InitOutcome>()
      initWaiters.push(waiter)
      return waiter.promise
    },
    invoke(given, stream) {
      if (closed) return Promise.reject(closed)
      if (invocation) return Promise.reject(new Error('The runtime has an invocation already'))
      invocation = { given, stream, end: Promise.withResolvers() }
      const { promise } = invocation.end
      deliver()
      return promise
    },
    idle() {
      if (closed) return Promise.reject(closed)
      if (state === 'Ready') return Promise.resolve()
      const waiter = Promise.withResolvers<void>()
      idleWaiters.push(waiter)
      return waiter.promise
    },
    close() {
      if (closed) return
      closed = new ChannelClosed('The session was closed')
      const waiters = [
        ...initWaiters.splice(0),
        ...idleWaiters.splice(0),
        ...(invocation ? [invocation.end] : []),
      ]
      invocation = undefined
      stopServing()
      for (const waiter of waiters) waiter.reject(closed)
    },
  }
}
