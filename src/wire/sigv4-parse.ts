/** Takes a request's signature apart: the Authorization header, or the query of a presigned URL. */
import type { RequestHead } from '#wire/protocol.ts'
import { parseQuery } from '#wire/query-string.ts'
import { ALGORITHM } from '#wire/sigv4.ts'

/** Whatever is there; the verifier says what is missing. */
export interface SignatureParts {
  readonly form: 'header' | 'query'
  /** ACCESSKEY/DATE/REGION/SERVICE/aws4_request. */
  readonly credential: string | undefined
  /** Names separated by semicolons. */
  readonly signedHeaders: string | undefined
  readonly signature: string | undefined
  readonly timestamp: string | undefined
  readonly token: string | undefined
  /** Seconds; presigned only. */
  readonly expires: string | undefined
  readonly payloadHash: string | undefined
}

const text = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value)

/** Undefined when the request carries no signature of version 4. */
export function parseSignature({ headers, query }: RequestHead): SignatureParts | undefined {
  const { authorization } = headers
  if (authorization?.startsWith(ALGORITHM)) {
    const timestamp = text(headers['x-amz-date'])
    return {
      form: 'header',
      credential: field(authorization, 'Credential='),
      signedHeaders: field(authorization, 'SignedHeaders='),
      signature: field(authorization, 'Signature='),
      timestamp: timestamp ?? dateHeader(headers.date),
      token: text(headers['x-amz-security-token']),
      expires: undefined,
      payloadHash: text(headers['x-amz-content-sha256']),
    }
  }
  if (!query.includes('X-Amz-Algorithm=')) return undefined
  const pairs = new Map(parseQuery(query))
  return {
    form: 'query',
    credential: pairs.get('X-Amz-Credential'),
    signedHeaders: pairs.get('X-Amz-SignedHeaders'),
    signature: pairs.get('X-Amz-Signature'),
    timestamp: pairs.get('X-Amz-Date'),
    token: pairs.get('X-Amz-Security-Token'),
    expires: pairs.get('X-Amz-Expires'),
    payloadHash: pairs.get('X-Amz-Content-Sha256') ?? text(headers['x-amz-content-sha256']),
  }
}

/** `name` ends in an equals sign. Fields are separated by commas and perhaps spaces. */
function field(authorization: string, name: string): string | undefined {
  let at = authorization.indexOf(name)
  // "Signature=" must not be found inside another word.
  while (at > 0 && authorization[at - 1] !== ' ' && authorization[at - 1] !== ',') {
    at = authorization.indexOf(name, at + 1)
  }
  if (at === -1) return undefined
  const start = at + name.length
  const comma = authorization.indexOf(',', start)
  return authorization.slice(start, comma === -1 ? undefined : comma).trim()
}

/** A Date header may stand in for X-Amz-Date. */
function dateHeader(date: string | undefined): string | undefined {
  const atMs = date === undefined ? Number.NaN : Date.parse(date)
  if (Number.isNaN(atMs)) return undefined
  return `${new Date(atMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

export interface Credential {
  readonly accessKeyId: string
  readonly date: string
  readonly region: string
  readonly service: string
  readonly terminator: string
}

/** Undefined when the text has not exactly five parts. */
export function parseCredential(credential: string | undefined): Credential | undefined {
  const parts = credential?.split('/')
  if (parts?.length !== 5) return undefined
  const [accessKeyId = '', date = '', region = '', service = '', terminator = ''] = parts
  return { accessKeyId, date, region, service, terminator }
}
