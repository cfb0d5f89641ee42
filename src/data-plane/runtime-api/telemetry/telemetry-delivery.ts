/** Brings batches to a subscriber inside the environment, by HTTP or over a TCP connection that stays. */
import { createHash } from 'node:crypto'
import { request } from 'node:http'
import type { Socket } from 'node:net'

import type { Destination } from '#data-plane/runtime-api/telemetry/subscription-request.ts'
import type { DeliverBatch } from '#data-plane/runtime-api/telemetry/telemetry-subscriber.ts'

/** Connects to a port of the environment's own loopback. */
export type ConnectInside = (port: number) => Promise<Socket>

/** A subscriber may be frozen between two invocations, so it has long; but it must not hold a batch for ever. */
const DELIVERY_DEADLINE_MS = 60_000
/** An answer is read for its status alone. */
const MAX_ANSWER_BYTES = 65_536

const sequenceId = (body: Buffer) => createHash('sha256').update(body).digest('base64')

async function post(connect: ConnectInside, port: number, path: string, body: Buffer): Promise<void> {
  const socket = await connect(port)
  await new Promise<void>((resolve, reject) => {
    const sent = request(
      {
        createConnection: () => socket,
        method: 'POST',
        path,
        headers: {
          Host: `sandbox.localdomain:${port}`,
          'Content-Type': 'application/json',
          'Content-Length': body.byteLength,
          'Sequence-Id': sequenceId(body),
          Connection: 'close',
        },
        timeout: DELIVERY_DEADLINE_MS,
      },
      (answer) => {
        let bytes = 0
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.byteLength
          if (bytes > MAX_ANSWER_BYTES) sent.destroy()
        })
        const { statusCode = 0 } = answer
        if (statusCode >= 400) reject(new Error(`http request failed with status ${statusCode}`))
        else resolve()
      },
    )
    sent.on('timeout', () => sent.destroy(new Error('the subscriber did not answer')))
    sent.on('error', reject)
    sent.on('close', () => {
      socket.destroy()
      reject(new Error('the subscriber hung up'))
    })
    sent.end(body)
  })
}

/** A line of JSON an event. The connection is made with the first batch and again when it broke. */
function overTcp(connect: ConnectInside, port: number): { deliver: DeliverBatch; stop(): void } {
  let socket: Socket | undefined
  return {
    async deliver(events) {
      if (!socket || socket.destroyed) {
        socket = await connect(port)
        socket.on('error', () => {})
        // Nothing is expected back, and what comes must not pile up.
        socket.resume()
      }
      const to = socket
      await new Promise<void>((resolve, reject) => {
        to.setTimeout(DELIVERY_DEADLINE_MS, () => to.destroy(new Error('the subscriber does not read')))
        to.write(`${events.join('\n')}\n`, (error) => {
          to.setTimeout(0)
          if (error) reject(error)
          else resolve()
        })
      })
    },
    stop: () => socket?.destroy(),
  }
}

export function createDelivery(
  connect: ConnectInside,
  destination: Destination,
): { readonly deliver: DeliverBatch; stop(): void } {
  if (destination.protocol === 'TCP') return overTcp(connect, destination.port)
  const { port, path } = destination
  return {
    deliver: (events) => post(connect, port, path, Buffer.from(`[${events.join(',')}]`)),
    stop() {},
  }
}
