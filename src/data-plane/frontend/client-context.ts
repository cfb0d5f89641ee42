import { LambdaError } from '#contracts/errors.ts'

/** Longest client context, as sent. Source: API reference. */
const MAX_CLIENT_CONTEXT_BYTES = 3583

const refusal = (message: string) =>
  new LambdaError('InvalidRequestContentException', message, { status: 400 })

/** The JSON text of a client context as it came in its header. Undefined when there was none. */
export function decodeClientContext(encoded: string | undefined): string | undefined {
  if (encoded === undefined || encoded === '') return undefined
  if (Buffer.byteLength(encoded) > MAX_CLIENT_CONTEXT_BYTES) {
    // Text unverified.
    throw refusal(`Client context must be at most ${MAX_CLIENT_CONTEXT_BYTES} bytes.`)
  }
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  // Recorded from AWS, for wrong base64 and for wrong JSON alike.
  if (!isBase64(encoded) || !isJsonObject(text)) {
    throw refusal('Client context must be a valid Base64-encoded JSON object.')
  }
  return text
}

const isBase64 = (text: string) => /^[A-Za-z0-9+/]+={0,2}$/.test(text)

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
