/** The head of an HTTP/1.1 request, line by line, as strict as it can be without refusing AWS's own clients. */

/** Go's limit, which AWS's own server has: clients put an X-Ray document of up to 1 MiB into a header. */
export const MAX_HEAD_BYTES = 1_048_576 + 4096
export const MAX_HEADERS = 128

export interface RequestHead {
  readonly method: string
  /** Without the query; as it was sent, percent-encoding included. */
  readonly path: string
  /** Lower-case names; of a repeated header the first counts. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: BodyFraming
  readonly keepAlive: boolean
  readonly expectsContinue: boolean
}

export type BodyFraming = { readonly kind: 'length'; readonly bytes: number } | { readonly kind: 'chunked' }

/** A request that cannot be understood: answered with `status`, then the connection is closed. */
export class BadRequest extends Error {
  override name = 'BadRequest'
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([\x21-\x7e]{1,8192}) HTTP\/1\.([01])$/
// eslint-disable-next-line no-control-regex -- control characters are what is refused
const FIELD_VALUE = /^[^\u0000-\u0008\u000a-\u001f\u007f]*$/

export interface HeadReader {
  /** Takes the next line, without its end. Returns the head at the empty line. Throws `BadRequest`. */
  line(text: string): RequestHead | undefined
}

/** Adds one header line to `headers`. Throws `BadRequest`. */
export function readField(text: string, headers: Map<string, string>): void {
  const colon = text.indexOf(':')
  const name = text.slice(0, colon)
  const value = text.slice(colon + 1).trim()
  if (colon < 1 || !TOKEN.test(name) || !FIELD_VALUE.test(value))
    throw new BadRequest(400, 'malformed header')
  const key = name.toLowerCase()
  const earlier = headers.get(key)
  if (earlier === undefined) {
    if (headers.size >= MAX_HEADERS) throw new BadRequest(431, 'too many headers')
    headers.set(key, value)
  } else if (earlier !== value && (key === 'content-length' || key === 'transfer-encoding')) {
    // Two readers could disagree on where the body ends.
    throw new BadRequest(400, `conflicting ${key} headers`)
  }
}

export function createHeadReader(): HeadReader {
  let requestLine: RegExpExecArray | undefined
  let headers = new Map<string, string>()
  return {
    line(text) {
      if (requestLine === undefined) {
        // Some clients send an empty line after a body.
        if (text === '') return undefined
        requestLine = REQUEST_LINE.exec(text) ?? undefined
        if (!requestLine) throw new BadRequest(400, 'malformed request line')
        return undefined
      }
      if (text !== '') {
        readField(text, headers)
        return undefined
      }
      const head = finish(requestLine, headers)
      requestLine = undefined
      headers = new Map()
      return head
    },
  }
}

function finish(requestLine: RegExpExecArray, headers: ReadonlyMap<string, string>): RequestHead {
  const [, method = '', target = '', minor = '1'] = requestLine
  const connection = headers.get('connection')?.toLowerCase() ?? ''
  const query = target.indexOf('?')
  if (minor === '1' && !headers.has('host')) throw new BadRequest(400, 'missing required Host header')
  return {
    method,
    path: query === -1 ? target : target.slice(0, query),
    headers,
    body: framing(headers),
    keepAlive: minor === '1' ? !connection.includes('close') : connection.includes('keep-alive'),
    expectsContinue: headers.get('expect')?.toLowerCase() === '100-continue',
  }
}

function framing(headers: ReadonlyMap<string, string>): BodyFraming {
  const encoding = headers.get('transfer-encoding')
  const length = headers.get('content-length')
  if (encoding !== undefined) {
    if (encoding.toLowerCase() !== 'chunked') throw new BadRequest(501, 'unsupported transfer encoding')
    if (length !== undefined) throw new BadRequest(400, 'both a length and chunks')
    return { kind: 'chunked' }
  }
  if (length === undefined) return { kind: 'length', bytes: 0 }
  if (!/^\d{1,15}$/.test(length)) throw new BadRequest(400, 'bad Content-Length')
  return { kind: 'length', bytes: Number(length) }
}
