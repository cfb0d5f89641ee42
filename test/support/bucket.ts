/** A small S3-compatible server with the bucket `code`, which checks the signatures that it gets. */
import { createHash, createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

const BUCKET_KEY = { id: 'AKIDBUCKET', secret: 'bucket-secret/+=' }
const BUCKET_REGION = 'eu-central-1'
const sha256 = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Uint8Array, text: string) => createHmac('sha256', key).update(text).digest()

/** Signature version 4 as S3 specifies it, written anew here so that our own signer is not its own witness. */
function isSigned({ method = '', url = '', headers }: IncomingMessage): boolean {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    )
  if (!match) return false
  const [, id, date = '', region = '', names = '', signature] = match
  if (id !== BUCKET_KEY.id || region !== BUCKET_REGION || !names.split(';').includes('host')) return false
  const [path = '', query = ''] = url.split('?')
  const canonical = [
    method,
    path,
    query.split('&').toSorted().join('&'),
    ...names.split(';').map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    names,
    headers['x-amz-content-sha256'],
  ].join('\n')
  const at = String(headers['x-amz-date'])
  const text = ['AWS4-HMAC-SHA256', at, `${date}/${region}/s3/aws4_request`, sha256(canonical)].join('\n')
  const key = [region, 's3', 'aws4_request'].reduce<Uint8Array>(
    (so, part) => hmac(so, part),
    hmac(`AWS4${BUCKET_KEY.secret}`, date),
  )
  return hmac(key, text).toString('hex') === signature
}

export interface Bucket {
  readonly url: string
  /** Options that let a program use it. */
  readonly args: readonly string[]
  readonly objects: Map<string, Uint8Array>
  readonly requests: string[]
  close(): void
}

export async function startBucket(): Promise<Bucket> {
  const objects = new Map<string, Uint8Array>()
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    const fail = (status: number, code: string, message: string) => {
      response.writeHead(status, { 'content-type': 'application/xml' })
      response.end(
        `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
      )
    }
    const url = request.url ?? ''
    if (!isSigned(request))
      return fail(403, 'SignatureDoesNotMatch', 'The request signature we calculated does not match')
    if (url.startsWith('/private/')) return fail(403, 'AccessDenied', 'Access Denied')
    if (!url.startsWith('/code/')) return fail(404, 'NoSuchBucket', 'The specified bucket does not exist')
    if (url === '/code/slow-down') return fail(503, 'SlowDown', 'Reduce your request rate &amp; try again.')
    if (url === '/code/nonsense') return response.writeHead(500).end('<html>oops')
    if (url === '/code/endless') {
      response.writeHead(200)
      const chunk = Buffer.alloc(1 << 20)
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      }
      response.on('drain', more)
      return more()
    }
    if (url === '/code/claims-much')
      return response.writeHead(200, { 'content-length': 300_000_000 }).write('x')
    if (url === '/code/cut') {
      response.writeHead(200, { 'content-length': 1000 })
      response.write('PK')
      return setImmediate(() => response.destroy())
    }
    if (request.method === 'PUT') {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      return request.on('end', () => {
        const object = Buffer.concat(chunks)
        if (sha256(object) !== request.headers['x-amz-content-sha256']) {
          return fail(400, 'XAmzContentSHA256Mismatch', 'The provided hash does not match')
        }
        objects.set(url, object)
        return response.writeHead(200).end()
      })
    }
    const object = objects.get(url)
    if (!object) return fail(404, 'NoSuchKey', 'The specified key does not exist.')
    response.writeHead(200, { 'content-length': object.byteLength })
    return response.end(object)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    args: [
      `--s3-endpoint=${url}`,
      `--s3-region=${BUCKET_REGION}`,
      `--s3-access-key-id=${BUCKET_KEY.id}`,
      `--s3-secret-access-key=${BUCKET_KEY.secret}`,
    ],
    objects,
    requests,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
