/** Requests as bytes, for what no SDK would send. */
import { request as httpRequest, type Agent } from 'node:http'

import { memberPlace, memberShape, type ServiceModel } from '#wire/model.ts'

import { shapeOf } from './valid-values.ts'

export interface RawRequest {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Promised, but never sent. */
  readonly announcedBytes?: number
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** Puts every member of an input where the model says, whatever its value is. */
export function requestOf(
  model: ServiceModel,
  operation: string,
  input: Record<string, unknown>,
): RawRequest {
  const { method, uri, input: name } = model.operations[operation] ?? {}
  if (method === undefined || uri === undefined || name === undefined) throw new Error(operation)
  const shape = shapeOf(model, name)
  if (shape.type !== 'structure') throw new Error(name)
  let path = uri
  const query: string[] = []
  const headers: Record<string, string> = {}
  const json: Record<string, unknown> = {}
  let payload: string | undefined
  for (const [member, value] of Object.entries(input)) {
    const bound = shape.members[member]
    const place = bound === undefined ? 'body' : memberPlace(bound)
    const wire = bound !== undefined && typeof bound !== 'string' ? (bound.name ?? member) : member
    if (place === 'label') path = path.replace(`{${member}}`, encodeURIComponent(String(value)))
    else if (place === 'query') {
      for (const item of Array.isArray(value) ? value : [value]) {
        query.push(`${wire}=${encodeURIComponent(String(item))}`)
      }
    } else if (place === 'header') headers[wire] = String(value)
    else if (place === 'payload') {
      const isBlob = bound !== undefined && shapeOf(model, memberShape(bound)).type === 'blob'
      payload = isBlob ? Buffer.from(String(value), 'base64').toString() : JSON.stringify(value)
    } else json[member] = value
  }
  const readsBody = Object.values(shape.members).some((member) => memberPlace(member) === 'body')
  const body = payload ?? (readsBody ? JSON.stringify(json) : undefined)
  const joined = query.length === 0 ? path : `${path}${path.includes('?') ? '&' : '?'}${query.join('&')}`
  return { method, path: joined, headers, ...(body !== undefined && { body }) }
}

/** What the SDK would sign, so that the request belongs to this region. Nobody checks the signature. */
const scope = (region: string) =>
  `AWS4-HMAC-SHA256 Credential=test/20261125/${region}/lambda/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`

export function sendRaw(
  { port, agent, region }: { readonly port: number; readonly agent: Agent; readonly region: string },
  { method, path, headers = {}, body, announcedBytes }: RawRequest,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const length = announcedBytes ?? (body === undefined ? undefined : Buffer.byteLength(body))
    const sent = httpRequest(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        headers: {
          ...headers,
          authorization: scope(region),
          ...(length !== undefined && { 'content-length': String(length) }),
        },
        agent: announcedBytes === undefined ? agent : false,
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        const finish = () => {
          if (announcedBytes !== undefined) sent.destroy()
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers as Record<string, string>,
            text: Buffer.concat(chunks).toString(),
          })
        }
        // With a body outstanding the server ends its answer late: all of it is here once its length is.
        if (announcedBytes === undefined) response.on('end', finish)
        else {
          response.on('data', () => {
            if (Buffer.concat(chunks).byteLength >= Number(response.headers['content-length'] ?? 0)) finish()
          })
        }
      },
    )
    sent.on('error', reject)
    if (announcedBytes !== undefined) sent.flushHeaders()
    else sent.end(body)
  })
}
