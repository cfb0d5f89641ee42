/** Takes a streamed answer for a test, and has room only when the test says so. */
import type { ResponseStream } from '#contracts/invocation.ts'

export interface SlowStream extends ResponseStream {
  readonly contentTypes: (string | undefined)[]
  text(): string
  /** Lets everything in from now on. */
  open(): void
}

/** Without `slow` there is always room. */
export function createSlowStream(
  options: { readonly slow?: boolean; readonly maxBytes?: number } = {},
): SlowStream {
  const chunks: Uint8Array[] = []
  const contentTypes: (string | undefined)[] = []
  const room = Promise.withResolvers<void>()
  let receivedBytes = 0
  let slow = options.slow ?? false
  return {
    maxBytes: options.maxBytes ?? Number.POSITIVE_INFINITY,
    contentTypes,
    get receivedBytes() {
      return receivedBytes
    },
    get full() {
      return slow && receivedBytes > 0
    },
    start: (type) => void contentTypes.push(type),
    write(chunk) {
      chunks.push(chunk)
      receivedBytes += chunk.byteLength
      return !slow
    },
    whenRoom: () => (slow ? room.promise : Promise.resolve()),
    text: () => Buffer.concat(chunks).toString(),
    open() {
      slow = false
      room.resolve()
    },
  }
}
