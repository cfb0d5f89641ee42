/** Verifies signatures of version 4, in the header and in the presigned form. */
import { timingSafeEqual } from 'node:crypto'

import { LambdaError } from '#contracts/errors.ts'
import type { Clock } from '#kernel/clock.ts'
import type { RequestHead } from '#wire/protocol.ts'
import {
  canonicalText,
  createKeyCache,
  formatTimestamp,
  parseTimestamp,
  sha256Hex,
  signature,
  stringToSign,
  TERMINATOR,
  UNSIGNED_PAYLOAD,
} from '#wire/sigv4.ts'
import { parseCredential, parseSignature, type Credential, type SignatureParts } from '#wire/sigv4-parse.ts'

/** What an access key opens. */
export interface KeyRecord {
  readonly secret: string
  readonly account: string
  /** ARN of the caller. */
  readonly arn: string
  /** Temporary credentials only: the token that must come along. */
  readonly sessionToken?: string
  /** Temporary credentials only: wall-clock milliseconds. */
  readonly expiresAt?: number
}

export type CredentialLookup = (accessKeyId: string) => KeyRecord | undefined

export interface VerifiedSignature {
  readonly key: KeyRecord
  readonly credential: Credential
  /**
   * Must be called with the whole body before the request is believed. Does nothing that `begin` could do already:
   * a request that declares the hash of its body was checked against it there.
   */
  finish(body: Uint8Array): void
}

export interface SignatureVerifier {
  /** Checks what can be checked without the body. Throws AWS's errors: 403 in REST protocols. */
  begin(head: RequestHead, signingName: string): VerifiedSignature
}

const MAX_SKEW_MS = 5 * 60 * 1000
/** Seven days, as AWS allows. */
const MAX_EXPIRES_S = 604_800
const HEX_SHA256 = /^[0-9a-f]{64}$/
const REGION = /^[a-z0-9-]{1,64}$/

export function createVerifier({
  credentials,
  clock,
}: {
  readonly credentials: CredentialLookup
  readonly clock: Clock
}): SignatureVerifier {
  const cache = createKeyCache()

  const proveWith = (
    head: RequestHead,
    parts: Complete,
    credential: Credential,
    key: KeyRecord,
    hash: string,
  ) => {
    const canonical = canonicalText({
      method: head.method,
      path: head.path,
      query: head.query,
      signedHeaders: parts.names,
      header: (name) => headerText(head, name),
      payloadHash: hash,
    })
    const expected = signature(
      cache.key(key.secret, credential),
      stringToSign(parts.timestamp, credential, canonical),
    )
    if (!equalText(expected, parts.signature)) throw doesNotMatch()
  }

  return {
    begin(head, signingName) {
      const found = parseSignature(head)
      if (!found) throw refused('MissingAuthenticationTokenException', 'Missing Authentication Token')
      const parts = complete(found, head)
      const credential = parseCredential(parts.credential)
      if (!credential) {
        throw refused(
          'IncompleteSignatureException',
          `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${parts.credential.slice(0, 256)}'`,
        )
      }
      checkScope(credential, parts, signingName)
      checkTime(parts, clock.now())
      const key = lookUp(credentials, credential.accessKeyId, parts.token, clock.now())

      const declared = parts.payloadHash
      if (declared === UNSIGNED_PAYLOAD || (declared !== undefined && HEX_SHA256.test(declared))) {
        proveWith(head, parts, credential, key, declared)
        return {
          key,
          credential,
          finish(body) {
            if (declared !== UNSIGNED_PAYLOAD && sha256Hex(body) !== declared) throw doesNotMatch()
          },
        }
      }
      return { key, credential, finish: (body) => proveWith(head, parts, credential, key, sha256Hex(body)) }
    },
  }
}

// As clients report AWS's texts; the names are those of AWS's list of common errors.
const refused = (code: string, message: string) => new LambdaError(code, message, { status: 403 })

const doesNotMatch = () =>
  refused(
    'InvalidSignatureException',
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  )

interface Complete {
  readonly form: 'header' | 'query'
  readonly credential: string
  readonly names: readonly string[]
  readonly signature: string
  readonly timestamp: string
  readonly token: string | undefined
  readonly expires: string | undefined
  readonly payloadHash: string | undefined
}

/** Throws IncompleteSignatureException with a sentence for each part that is missing. */
function complete(parts: SignatureParts, head: RequestHead): Complete {
  const { credential, signedHeaders, signature, timestamp } = parts
  const sentences: string[] = []
  const subject = parts.form === 'header' ? 'Authorization header' : 'AWS query-string parameters'
  if (!credential) sentences.push(`${subject} requires 'Credential' parameter.`)
  if (!signature) sentences.push(`${subject} requires 'Signature' parameter.`)
  if (!signedHeaders) sentences.push(`${subject} requires 'SignedHeaders' parameter.`)
  if (!timestamp) {
    sentences.push(`${subject} requires existence of either a 'X-Amz-Date' or a 'Date' header.`)
  }
  if (!credential || !signature || !signedHeaders || !timestamp) {
    throw refused('IncompleteSignatureException', sentences.join(' '))
  }
  const names = signedHeaders.split(';')
  if (!names.includes('host')) {
    throw refused(
      'InvalidSignatureException',
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    )
  }
  if (names.some((name) => headerText(head, name) === undefined)) throw doesNotMatch()
  return { ...parts, credential, signature, timestamp, names }
}

function checkScope(credential: Credential, { timestamp }: Complete, signingName: string): void {
  const { date, region, service, terminator } = credential
  if (terminator !== TERMINATOR) {
    throw refused(
      'InvalidSignatureException',
      `Credential should be scoped with a valid terminator: '${TERMINATOR}', not '${terminator.slice(0, 64)}'.`,
    )
  }
  if (service !== signingName) {
    throw refused(
      'InvalidSignatureException',
      `Credential should be scoped to correct service: '${signingName}'.`,
    )
  }
  if (!REGION.test(region)) {
    throw refused('InvalidSignatureException', 'Credential should be scoped to a valid region.')
  }
  if (date !== timestamp.slice(0, 8)) {
    throw refused(
      'InvalidSignatureException',
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date.slice(0, 16)}' != '${timestamp.slice(0, 8)}', from '${timestamp.slice(0, 32)}'.`,
    )
  }
}

function checkTime({ form, timestamp, expires }: Complete, nowMs: number): void {
  const signedAt = parseTimestamp(timestamp)
  if (signedAt === undefined) {
    throw refused(
      'IncompleteSignatureException',
      `Date must be in ISO-8601 'basic format'. Got '${timestamp.slice(0, 64)}'. See http://en.wikipedia.org/wiki/ISO_8601`,
    )
  }
  const lifeMs = form === 'query' ? expiresMs(expires) : MAX_SKEW_MS
  if (signedAt + lifeMs < nowMs) {
    const earliest = formatTimestamp(nowMs - lifeMs)
    const span = form === 'query' ? `${lifeMs / 1000} sec.` : '5 min.'
    throw refused(
      'InvalidSignatureException',
      `Signature expired: ${timestamp} is now earlier than ${earliest} (${formatTimestamp(nowMs)} - ${span})`,
    )
  }
  if (signedAt - MAX_SKEW_MS > nowMs) {
    const latest = formatTimestamp(nowMs + MAX_SKEW_MS)
    throw refused(
      'InvalidSignatureException',
      `Signature not yet current: ${timestamp} is still later than ${latest} (${formatTimestamp(nowMs)} + 5 min.)`,
    )
  }
}

function expiresMs(expires: string | undefined): number {
  const seconds = expires !== undefined && /^\d{1,6}$/.test(expires) ? Number(expires) : 0
  if (seconds < 1 || seconds > MAX_EXPIRES_S) {
    throw refused('IncompleteSignatureException', 'X-Amz-Expires must be between 1 and 604800 seconds')
  }
  return seconds * 1000
}

function lookUp(
  credentials: CredentialLookup,
  accessKeyId: string,
  token: string | undefined,
  nowMs: number,
) {
  const key = credentials(accessKeyId)
  const expected = key?.sessionToken
  const tokenFits =
    expected === undefined ? token === undefined : token !== undefined && equalText(expected, token)
  if (!key || !tokenFits) {
    throw refused('UnrecognizedClientException', 'The security token included in the request is invalid.')
  }
  if (key.expiresAt !== undefined && key.expiresAt <= nowMs) {
    throw refused('ExpiredTokenException', 'The security token included in the request is expired')
  }
  return key
}

/** `name` is the client's choice: it must not reach into the object's prototype. */
function headerText({ headers }: RequestHead, name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined
  return Array.isArray(value) ? value.join(',') : value
}

/** Takes the same time wherever two texts of equal length differ. */
function equalText(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.byteLength === right.byteLength && timingSafeEqual(left, right)
}
