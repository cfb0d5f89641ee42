/** Signs a request to an AWS API or to S3 with signature version 4, in the header form. */
import {
  ALGORITHM,
  canonicalText,
  deriveKey,
  formatTimestamp,
  scopeText,
  sha256Hex,
  signature,
  stringToSign,
} from '#wire/sigv4.ts'

export interface SigningCredentials {
  readonly accessKeyId: string
  readonly secret: string
  readonly sessionToken?: string
}

export interface SigningRequest {
  readonly method: string
  /** The path must be percent-encoded already, as `URL` does. */
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** SHA-256 in hexadecimal of a body that is not at hand in one piece. */
  readonly payloadHash?: string
  readonly credentials: SigningCredentials
  readonly region: string
  /** Signing name, such as `s3`. */
  readonly service: string
  /** Wall-clock time in milliseconds. */
  readonly nowMs: number
}

/** All headers to send, names in lower case: the given ones and those that the signature needs. */
export function signRequest(request: SigningRequest): Record<string, string> {
  const { credentials, region, service, url } = request
  const timestamp = formatTimestamp(request.nowMs)
  const scope = { date: timestamp.slice(0, 8), region, service }
  const payloadHash = request.payloadHash ?? sha256Hex(request.body ?? new Uint8Array())
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers ?? {})) headers[name.toLowerCase()] = value
  headers['host'] = url.host
  headers['x-amz-date'] = timestamp
  headers['x-amz-content-sha256'] = payloadHash
  if (credentials.sessionToken !== undefined) headers['x-amz-security-token'] = credentials.sessionToken
  const signedHeaders = Object.keys(headers).toSorted()
  const canonical = canonicalText({
    method: request.method,
    path: url.pathname,
    query: url.search.slice(1),
    signedHeaders,
    header: (name) => headers[name],
    payloadHash,
    pathAsSent: service === 's3',
  })
  const proof = signature(deriveKey(credentials.secret, scope), stringToSign(timestamp, scope, canonical))
  headers['authorization'] =
    `${ALGORITHM} Credential=${credentials.accessKeyId}/${scopeText(scope)}, SignedHeaders=${signedHeaders.join(';')}, Signature=${proof}`
  return headers
}
