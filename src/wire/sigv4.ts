/**
 * Signature version 4: the canonical form of a request and the derived keys. Shared by the verifier and the signer.
 * Source: AWS's documentation of the signing process.
 */
import { createHmac, hash } from 'node:crypto'

export const ALGORITHM = 'AWS4-HMAC-SHA256'
export const TERMINATOR = 'aws4_request'
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD'

export interface CredentialScope {
  /** YYYYMMDD. */
  readonly date: string
  readonly region: string
  readonly service: string
}

export interface CanonicalRequest {
  readonly method: string
  /** As sent, percent-encoded. */
  readonly path: string
  /** As sent, without the question mark. */
  readonly query: string
  /** Lower-case names, in the order in which they are signed. */
  readonly signedHeaders: readonly string[]
  header(name: string): string | undefined
  /** Lower-case hexadecimal SHA-256 of the body, or UNSIGNED-PAYLOAD. */
  readonly payloadHash: string
  /** S3 neither normalises the path nor encodes it a second time; only the signer signs for S3. */
  readonly pathAsSent?: boolean
}

/** Text is hashed as Latin-1: headers come in as text whose characters stand for bytes, all else in it is ASCII. */
export const sha256Hex = (data: string | Uint8Array) =>
  hash('sha256', typeof data === 'string' ? Buffer.from(data, 'latin1') : data, 'hex')

const hmac = (key: string | Uint8Array, text: string) => createHmac('sha256', key).update(text).digest()

/** Percent-encodes everything but unreserved characters. */
export const encodeRfc3986 = (text: string) =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )

export function canonicalText(request: CanonicalRequest): string {
  let headers = ''
  for (const name of request.signedHeaders) {
    headers += `${name}:${(request.header(name) ?? '').trim().replaceAll(/ {2,}/g, ' ')}\n`
  }
  const path = request.pathAsSent ? recodePath(request.path) : canonicalPath(request.path)
  const query = request.query === '' ? '' : canonicalQuery(request.query)
  return `${request.method}\n${path}\n${query}\n${headers}\n${request.signedHeaders.join(';')}\n${request.payloadHash}`
}

/** A path that its canonical form does not change: no dots, no empty segments, nothing to encode. */
const PLAIN_PATH = /^(?:\/[A-Za-z0-9\-_~]+)+$/

/** Dots and doubled slashes resolved, then encoded once more than on the wire. */
function canonicalPath(path: string): string {
  if (PLAIN_PATH.test(path)) return path
  const encoded = encodeRfc3986(normalisePath(path))
  return encoded.replaceAll('%2F', '/')
}

function normalisePath(path: string): string {
  if (!path.includes('//') && !path.includes('/.')) return path
  const out: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') out.pop()
    else if (segment !== '' && segment !== '.') out.push(segment)
  }
  return `/${out.join('/')}${out.length > 0 && path.endsWith('/') ? '/' : ''}`
}

/** Encoded once, in the one allowed spelling; nothing is resolved. */
const recodePath = (path: string) =>
  path
    .split('/')
    .map((segment) => encodeRfc3986(decodeURIComponent(segment)))
    .join('/')

/** Sorted by name and value; a presigned request's own signature is left out. */
function canonicalQuery(query: string): string {
  const pairs: string[] = []
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = recode(equals === -1 ? pair : pair.slice(0, equals))
    if (name === 'X-Amz-Signature') continue
    pairs.push(`${name}=${equals === -1 ? '' : recode(pair.slice(equals + 1))}`)
  }
  return pairs.toSorted(comparePairs).join('&')
}

/** "=" sorts behind digits and some signs, so pairs are not compared as one text. */
function comparePairs(a: string, b: string): number {
  const [nameA = '', valueA = ''] = a.split('=')
  const [nameB = '', valueB = ''] = b.split('=')
  if (nameA !== nameB) return nameA < nameB ? -1 : 1
  return valueA < valueB ? -1 : Number(valueA > valueB)
}

/** To the one allowed spelling: `%7e` and `~`, `+` and `%20` are the same. Malformed input stays, and won't match. */
function recode(text: string): string {
  try {
    return encodeRfc3986(decodeURIComponent(text.replaceAll('+', ' ')))
  } catch {
    return text
  }
}

export const scopeText = ({ date, region, service }: CredentialScope) =>
  `${date}/${region}/${service}/${TERMINATOR}`

/** `timestamp` is YYYYMMDDTHHMMSSZ. */
export const stringToSign = (timestamp: string, scope: CredentialScope, canonical: string) =>
  `${ALGORITHM}\n${timestamp}\n${scopeText(scope)}\n${sha256Hex(canonical)}`

export const signature = (key: Uint8Array, text: string) =>
  createHmac('sha256', key).update(text).digest('hex')

export function deriveKey(secret: string, { date, region, service }: CredentialScope): Uint8Array {
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), service), TERMINATOR)
}

/** Derived keys by secret, day, region and service; the least recently used one leaves first. */
export function createKeyCache(capacity = 1024): { key(secret: string, scope: CredentialScope): Uint8Array } {
  const keys = new Map<string, Uint8Array>()
  return {
    key(secret, scope) {
      const name = `${scopeText(scope)}\n${secret}`
      const known = keys.get(name)
      const key = known ?? deriveKey(secret, scope)
      if (known) keys.delete(name)
      else if (keys.size >= capacity) keys.delete(keys.keys().next().value ?? name)
      keys.set(name, key)
      return key
    },
  }
}

/** Milliseconds since the epoch as YYYYMMDDTHHMMSSZ. */
export const formatTimestamp = (atMs: number) =>
  `${new Date(atMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`

const TIMESTAMP = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

/** Undefined when the text is no YYYYMMDDTHHMMSSZ. */
export function parseTimestamp(text: string): number | undefined {
  const match = TIMESTAMP.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second] = match
  const atMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(atMs) ? undefined : atMs
}
