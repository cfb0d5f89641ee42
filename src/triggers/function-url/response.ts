/** What a function's answer means as an HTTP response: payload format 2.0 with its inference (recorded from AWS). Pure. */

export interface UrlResponse {
  readonly status: number
  /** Names in lower case; a list stands for repeated headers. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: Uint8Array
}

const JSON_TYPE = 'application/json'
/** Set by the transport, not by functions. */
const REFUSED_HEADERS = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// oxlint-disable-next-line no-control-regex -- what HTTP forbids in a value is just that
const FORBIDDEN_IN_VALUE = /[\0\r\n]/

/** The function failed, or answered what is no response. */
export const badGateway: UrlResponse = {
  status: 502,
  headers: { 'content-type': JSON_TYPE },
  body: Buffer.from('Internal Server Error'),
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function headersOf(value: unknown, cookies: unknown): Record<string, string | readonly string[]> | undefined {
  const headers: Record<string, string | readonly string[]> = {}
  if (value !== undefined && value !== null) {
    if (!isRecord(value)) return undefined
    for (const [name, raw] of Object.entries(value)) {
      const text = typeof raw === 'string' ? raw : JSON.stringify(raw)
      const lower = name.toLowerCase()
      if (!HEADER_NAME.test(name) || FORBIDDEN_IN_VALUE.test(text)) return undefined
      if (!REFUSED_HEADERS.has(lower)) headers[lower] = text
    }
  }
  if (Array.isArray(cookies)) {
    const lines = cookies.filter(
      (cookie): cookie is string => typeof cookie === 'string' && !FORBIDDEN_IN_VALUE.test(cookie),
    )
    if (lines.length > 0) headers['set-cookie'] = lines
  }
  return headers
}

function bodyOf(value: unknown, isBase64: boolean): Uint8Array {
  if (value === undefined || value === null) return new Uint8Array()
  if (typeof value !== 'string') return Buffer.from(JSON.stringify(value))
  return Buffer.from(value, isBase64 ? 'base64' : 'utf8')
}

/**
 * Without `statusCode` the whole answer is the body, as JSON, with status 200; a JSON string loses its quotes. With it,
 * status, headers, cookies and body are taken from the answer. What can't be one is a 502.
 */
export function urlResponse(payload: Uint8Array): UrlResponse {
  const plain = (body: Uint8Array): UrlResponse => ({
    status: 200,
    headers: { 'content-type': JSON_TYPE },
    body,
  })
  let answer: unknown
  try {
    answer = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString())
  } catch {
    return plain(payload)
  }
  if (typeof answer === 'string') return plain(Buffer.from(answer))
  if (!isRecord(answer) || answer['statusCode'] === undefined) return plain(payload)
  const status = Number(answer['statusCode'])
  if (!Number.isInteger(status) || status < 200 || status > 599) return badGateway
  const headers = headersOf(answer['headers'], answer['cookies'])
  if (!headers) return badGateway
  return {
    status,
    headers: { 'content-type': JSON_TYPE, ...headers },
    body: bodyOf(answer['body'], answer['isBase64Encoded'] === true),
  }
}
