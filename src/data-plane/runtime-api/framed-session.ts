/** The session with a managed runtime over its control socket: frames both ways, payloads never parsed. */
import type { Duplex } from 'node:stream'

import type { GuestInvocation, ResponseStream } from '#contracts/invocation.ts'
import {
  encodeFrameHead,
  GUEST_FRAME,
  HOST_FRAME,
  PROTOCOL_VERSION,
  type HostFrameType,
} from '#data-plane/runtime-api/frame.ts'
import { createFrameParser, ProtocolError } from '#data-plane/runtime-api/frame-parser.ts'
import type {
  BootableSession,
  GuestInit,
  GuestLogRecord,
  InitOutcome,
  SessionOutcome,
} from '#data-plane/runtime-api/port.ts'
import { ChannelClosed } from '#data-plane/runtime-api/port.ts'
import { createStreamedAnswer, type StreamedAnswer } from '#data-plane/runtime-api/streamed-answer.ts'

/** Frames of one received chunk after which others have their turn: a guest may log without end. */
const MAX_FRAMES_A_TURN = 256

/** Payloads up to this size are copied behind the header, so that one write carries the frame. */
const COPY_BYTES = 16_384

interface Waiter<T> {
  readonly resolve: (value: T) => void
  readonly reject: (reason: ChannelClosed) => void
}

function parseHeader(header: string): Record<string, unknown> {
  if (header === '') return {}
  try {
    const value: unknown = JSON.parse(header)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Falls through to the one message for all malformed headers.
  }
  throw new ProtocolError('A frame header is not a JSON object')
}

/** AWS calls it so when a runtime names no type. */
function errorTypeOf(header: string): string {
  const { errorType } = parseHeader(header)
  return typeof errorType === 'string' && errorType !== '' ? errorType.slice(0, 1024) : 'Runtime.Unknown'
}

/**
 * Speaks the framed protocol over `control`, which the session owns from here on. `onLog` and `onOutput` are called in the
 * order of arrival, before the invocation's own end, and must not throw. `onOutput` gets what the function printed, as
 * bytes that are valid during the call only. Responses above `maxResponseBytes` are counted, not kept.
 */
export function createFramedSession(options: {
  readonly control: Duplex
  readonly maxResponseBytes: number
  readonly onLog: (record: GuestLogRecord) => void
  readonly onOutput: (chunk: Buffer) => void
}): BootableSession {
  const { control, maxResponseBytes, onLog, onOutput } = options
  let booted = false
  let closed: ChannelClosed | undefined
  let initWaiter: Waiter<InitOutcome> | undefined
  /** The guest has said that it is ready to be kept; it hangs up when it sleeps. */
  let sleeper: ((outcome: InitOutcome) => void) | undefined
  let invokeWaiter: Waiter<SessionOutcome> | undefined
  /** Where the answer to the invocation at hand goes if the guest streams it. */
  let stream: ResponseStream | undefined
  let answer: StreamedAnswer | undefined
  /** The answer that whoever takes it is too slow for: nothing is read, so that the guest's writes wait. */
  let blocked: StreamedAnswer | undefined
  /** In the chunk at hand. */
  let frames = 0
  const ready = Promise.withResolvers<void>()
  // Nobody has to wait for it.
  ready.promise.catch(() => {})

  const shut = (message: string, cause?: unknown) => {
    if (closed) return
    const asleep = sleeper
    sleeper = undefined
    asleep?.({ kind: 'ready' })
    closed = new ChannelClosed(message, cause === undefined ? undefined : { cause })
    control.destroy()
    ready.reject(closed)
    const waiters = [initWaiter, invokeWaiter]
    initWaiter = undefined
    invokeWaiter = undefined
    for (const waiter of waiters) waiter?.reject(closed)
  }

  const endInit = (outcome: InitOutcome) => {
    const waiter = initWaiter
    if (!waiter) throw new ProtocolError('The runtime answers an initialisation that nobody asked for')
    initWaiter = undefined
    waiter.resolve(outcome)
  }

  const unblock = () => {
    blocked = undefined
    if (!closed) control.resume()
  }

  const endInvocation = (outcome: SessionOutcome) => {
    const waiter = invokeWaiter
    if (!waiter) throw new ProtocolError('The runtime answers an invocation that it was not given')
    invokeWaiter = undefined
    stream = undefined
    answer = undefined
    // The next invocation does not wait for the client of this one.
    if (blocked) unblock()
    waiter.resolve(outcome)
  }

  const endWithError = (header: string, payload: Buffer, payloadBytes: number) =>
    endInvocation(
      payloadBytes > maxResponseBytes
        ? { kind: 'too-large', sizeBytes: payloadBytes }
        : {
            kind: 'error',
            errorType: errorTypeOf(header),
            payload,
            ...(parseHeader(header)['final'] === true && { final: true }),
          },
    )

  /** Reads nothing more before `room`. What has been read already still goes through: a chunk of the socket at most. */
  const block = async (by: StreamedAnswer, room: Promise<void>) => {
    if (blocked) return
    blocked = by
    control.pause()
    await room
    if (blocked === by) unblock()
  }

  const parser = createFrameParser({
    maxResponseBytes,
    onFrame(type, header, payload, payloadBytes) {
      // A log callback may have closed the session in the middle of a chunk.
      if (closed) return
      frames++
      if (type === GUEST_FRAME.response && !answer) {
        endInvocation(
          payloadBytes > maxResponseBytes
            ? { kind: 'too-large', sizeBytes: payloadBytes }
            : { kind: 'response', payload },
        )
        return
      }
      switch (type) {
        case GUEST_FRAME.log: {
          const { timestamp, level } = parseHeader(header)
          if (!Number.isSafeInteger(timestamp)) throw new ProtocolError('A log record has no timestamp')
          onLog({
            timestamp: timestamp as number,
            message: payload.toString('utf8'),
            ...(typeof level === 'string' && { level }),
          })
          return
        }
        case GUEST_FRAME.output: {
          onOutput(payload)
          return
        }
        case GUEST_FRAME.ready: {
          const { protocol } = parseHeader(header)
          if (booted || protocol !== PROTOCOL_VERSION) {
            throw new ProtocolError(
              booted ? 'The runtime is ready twice' : `The runtime speaks protocol ${String(protocol)}`,
            )
          }
          booted = true
          ready.resolve()
          return
        }
        case GUEST_FRAME.initDone: {
          endInit({ kind: 'ready' })
          return
        }
        case GUEST_FRAME.initError: {
          if (payloadBytes > maxResponseBytes)
            throw new ProtocolError('The error of the initialisation is too long')
          endInit({ kind: 'error', errorType: errorTypeOf(header), payload })
          return
        }
        case GUEST_FRAME.error: {
          // An exception that ends a stream half-way arrives like this too.
          endWithError(header, payload, payloadBytes)
          return
        }
        case GUEST_FRAME.streamStart: {
          if (!invokeWaiter || answer) throw new ProtocolError('The runtime may not start a stream now')
          const { contentType } = parseHeader(header)
          answer = createStreamedAnswer({
            stream,
            contentType: typeof contentType === 'string' ? contentType : undefined,
            maxResponseBytes,
          })
          return
        }
        case GUEST_FRAME.streamChunk: {
          if (!answer) throw new ProtocolError('A chunk without a stream')
          const room = answer.push(payload)
          if (room) void block(answer, room)
          return
        }
        case GUEST_FRAME.streamEnd: {
          if (!answer) throw new ProtocolError('The end of a stream that was not started')
          if (header === '') endInvocation(answer.end())
          else endWithError(header, payload, payloadBytes)
          return
        }
        default:
          throw new ProtocolError('A response in the middle of a stream')
      }
    },
  })

  control.on('data', (chunk: Buffer) => {
    if (closed) return
    frames = 0
    try {
      parser.push(chunk)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      shut(`The runtime broke the protocol: ${error.message}`, error)
    }
    if (frames > MAX_FRAMES_A_TURN) {
      control.pause()
      setImmediate(() => {
        if (!blocked) control.resume()
      })
    }
  })
  control.on('error', (error) => shut('The channel to the runtime failed', error))
  control.on('end', () => shut('The runtime closed the channel'))
  control.on('close', () => shut('The runtime closed the channel'))

  const send = (type: HostFrameType, header: string, payload: Uint8Array) => {
    const size = payload.byteLength
    if (size <= COPY_BYTES) {
      const frame = encodeFrameHead(type, header, size, size)
      frame.set(payload, frame.length - size)
      control.write(frame)
      return
    }
    control.cork()
    control.write(encodeFrameHead(type, header, size, 0))
    control.write(payload)
    control.uncork()
  }

  /** Answered by INIT_DONE or INIT_ERROR. Variables may be longer than a header may be, so everything is payload. */
  const ask = (type: HostFrameType, payload: object): Promise<InitOutcome> =>
    new Promise((resolve, reject) => {
      if (closed) return reject(closed)
      if (initWaiter) throw new Error('The runtime is being initialised already')
      initWaiter = { resolve, reject }
      send(type, '', Buffer.from(JSON.stringify(payload)))
    })

  return {
    ready: ready.promise,
    init: (init: GuestInit) => ask(HOST_FRAME.init, init),
    restore: (env) => ask(HOST_FRAME.restore, { env }),
    async snapshot() {
      const outcome = await ask(HOST_FRAME.snapshot, {})
      if (outcome.kind !== 'ready' || closed) return outcome
      return new Promise((resolve) => {
        sleeper = resolve
      })
    },
    invoke(invocation: GuestInvocation, into?: ResponseStream) {
      return new Promise((resolve, reject) => {
        if (closed) return reject(closed)
        if (invokeWaiter) throw new Error('The runtime has an invocation already')
        invokeWaiter = { resolve, reject }
        stream = into
        send(HOST_FRAME.invoke, invocationHeader(invocation), invocation.payload)
      })
    },
    close() {
      shut('The session was closed')
    },
  }
}

/** Undefined members vanish. */
function invocationHeader(invocation: GuestInvocation): string {
  return JSON.stringify({
    requestId: invocation.requestId,
    deadlineMs: invocation.deadlineMs,
    invokedFunctionArn: invocation.invokedFunctionArn,
    traceId: invocation.traceId,
    clientContext: invocation.clientContext,
    cognitoIdentity: invocation.cognitoIdentity,
    tenantId: invocation.tenantId,
  })
}
