/** Bodies of requests to the registry: streams with a deadline. */
import type { IncomingMessage } from 'node:http'

import type { Clock } from '#kernel/clock.ts'
import { hasBody } from '#wire/request-body.ts'

/** A body that makes no progress for this long is given up. */
const BODY_IDLE_MS = 60_000

export async function* contentOf(request: IncomingMessage, clock: Clock): AsyncGenerator<Uint8Array> {
  if (!hasBody(request)) return
  let cancel = () => {}
  const wait = () => {
    cancel()
    cancel = clock.after(BODY_IDLE_MS, () => request.destroy(new Error('The body makes no progress')))
  }
  wait()
  try {
    // Left open when the rest is not wanted, so that the answer still reaches the client.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      wait()
      yield chunk
    }
  } finally {
    cancel()
  }
}
