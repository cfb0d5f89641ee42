/** Collects a request's body under a size limit and a deadline. */
import type { IncomingMessage } from 'node:http'

import { LambdaError } from '#contracts/errors.ts'
import type { Clock } from '#kernel/clock.ts'

export interface BodyLimits {
  readonly maxBytes: number
  /** A body that makes no progress for this long is given up. */
  readonly idleMs: number
  /** And so is one that takes this long in all. */
  readonly totalMs: number
}

/** The client went away before its request was complete: there is nobody to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

const EMPTY = new Uint8Array()

/** True when the head promises a body. */
export const hasBody = ({ headers }: IncomingMessage) =>
  (headers['content-length'] !== undefined && headers['content-length'] !== '0') ||
  headers['transfer-encoding'] !== undefined

/**
 * Resolves with the whole body; the bytes belong to the caller. Rejects with `tooLarge()` as soon as the body can't
 * fit any more (before any of it is read when its length is declared), with RequestTimeoutException, or with
 * `ClientGone`. What is left unread stays unread.
 */
export function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  clock: Clock,
  tooLarge: () => LambdaError,
): Promise<Uint8Array> {
  if (!hasBody(request)) return Promise.resolve(EMPTY)
  if (Number(request.headers['content-length'] ?? 0) > limits.maxBytes) return Promise.reject(tooLarge())

  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let received = 0
    let seenAtLastTick = 0
    let waitedMs = 0

    const tick = () => {
      waitedMs += limits.idleMs
      if (received === seenAtLastTick || waitedMs >= limits.totalMs) settle(timedOut())
      else {
        seenAtLastTick = received
        cancel = clock.after(limits.idleMs, tick)
      }
    }
    let cancel = clock.after(limits.idleMs, tick)

    const settle = (failure: Error | undefined) => {
      cancel()
      request.off('data', onData)
      request.off('end', onEnd)
      request.off('close', onClose)
      if (failure) {
        request.pause()
        reject(failure)
      } else {
        resolve(chunks.length === 1 ? (chunks[0] ?? EMPTY) : Buffer.concat(chunks, received))
      }
    }
    const onData = (chunk: Buffer) => {
      received += chunk.byteLength
      if (received > limits.maxBytes) settle(tooLarge())
      else chunks.push(chunk)
    }
    const onEnd = () => settle(undefined)
    const onClose = () =>
      settle(new ClientGone('The client closed the connection before its request was complete'))

    request.on('data', onData)
    request.on('end', onEnd)
    request.on('close', onClose)
  })
}

/** AWS's name for it in other services; for Lambda unverified. SDKs retry it. */
const timedOut = () =>
  new LambdaError('RequestTimeoutException', 'The request body was not received in time', { status: 408 })

/** How long a client that was answered early may go on sending before the connection is cut. */
const LINGER_MS = 10_000

/**
 * Throws away the rest of a body that is answered before it was read, so that the client sees the answer and not a
 * reset connection. Resolves when nothing more comes.
 */
export function discardRest(request: IncomingMessage, clock: Clock): Promise<void> {
  if (request.complete || request.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const cancel = clock.after(LINGER_MS, () => request.destroy())
    const done = () => {
      cancel()
      resolve()
    }
    request.once('close', done)
    request.once('end', done)
    request.resume()
  })
}
