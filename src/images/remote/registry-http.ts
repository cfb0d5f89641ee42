/** HTTP to other registries: deadlines, bounded retries, and redirects that never carry credentials elsewhere. */
import { sleep, type Clock } from '#kernel/clock.ts'

import { ImageRefused } from '../image-refused.ts'

export interface RegistryResponse {
  readonly status: number
  readonly headers: Headers
  /** Fails when nothing comes for a while. Must be read to the end or left by `break`. */
  readonly body: AsyncIterable<Uint8Array>
}

export interface RegistryHttp {
  /** Answers of any status but redirects; of those that ask to try again the last one. */
  request(
    url: URL,
    options: {
      readonly headers?: Readonly<Record<string, string>>
      readonly form?: URLSearchParams
      readonly signal?: AbortSignal | undefined
    },
  ): Promise<RegistryResponse>
}

const MAX_REDIRECTS = 5
const HEAD_DEADLINE_MS = 30_000
const BODY_IDLE_MS = 30_000
const RETRY_AFTER_MS: readonly number[] = [250, 1000, 3000]

const isTransient = (status: number) => status === 429 || status === 408 || status >= 500

export function createRegistryHttp({
  clock,
  retryAfterMs = RETRY_AFTER_MS,
}: {
  readonly clock: Clock
  readonly retryAfterMs?: readonly number[]
}): RegistryHttp {
  const once: RegistryHttp['request'] = async (start, { headers = {}, form, signal }) => {
    let url = start
    let sent = headers
    for (let redirects = 0; ; redirects++) {
      const deadline = new AbortController()
      const cancel = clock.after(HEAD_DEADLINE_MS, () =>
        deadline.abort(new Error('The registry does not answer')),
      )
      const both = signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal
      const response = await fetch(url, {
        redirect: 'manual',
        // Layers are compressed already; another compression would change what the digest is of.
        headers: { ...sent, 'accept-encoding': 'identity' },
        ...(form && redirects === 0 && { method: 'POST', body: form }),
        signal: both,
      }).finally(cancel)
      const location = response.headers.get('location')
      if (response.status < 300 || response.status >= 400 || location === null) {
        return { status: response.status, headers: response.headers, body: chunksOf(response, deadline) }
      }
      await response.body?.cancel()
      if (redirects === MAX_REDIRECTS) throw new Error('The registry redirects too often')
      const next = new URL(location, url)
      if (next.protocol !== 'https:' && next.protocol !== start.protocol) {
        throw new Error('The registry redirects to a place without TLS')
      }
      if (next.origin !== url.origin) {
        sent = Object.fromEntries(
          Object.entries(sent).filter(([name]) => name.toLowerCase() !== 'authorization'),
        )
      }
      url = next
    }
  }

  async function* chunksOf(response: Response, deadline: AbortController): AsyncGenerator<Uint8Array> {
    let cancel = () => {}
    const wait = () => {
      cancel()
      cancel = clock.after(BODY_IDLE_MS, () => deadline.abort(new Error('The registry sends nothing more')))
    }
    wait()
    try {
      for await (const chunk of response.body ?? []) {
        wait()
        yield chunk
      }
    } finally {
      cancel()
    }
  }

  return {
    async request(url, options) {
      for (let attempt = 0; ; attempt++) {
        const waitMs = retryAfterMs[attempt]
        try {
          const response = await once(url, options)
          if (waitMs === undefined || !isTransient(response.status)) return response
          for await (const _ of response.body) break
        } catch (error) {
          options.signal?.throwIfAborted()
          if (waitMs === undefined) {
            const cause = (error as Error).cause
            const why = cause instanceof Error ? cause.message : (error as Error).message
            throw new ImageRefused('unreachable', `${url.host}: ${why}`, error)
          }
        }
        await sleep(clock, waitMs, options.signal)
      }
    },
  }
}

/** A small answer as a whole. */
export async function wholeOf({ body }: RegistryResponse, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of body) {
      length += chunk.byteLength
      if (length > maxBytes) throw new ImageRefused('damaged', 'An answer of the registry is too large')
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof ImageRefused) throw error
    throw new ImageRefused('unreachable', 'An answer of the registry broke off', error)
  }
  return Buffer.concat(chunks)
}
