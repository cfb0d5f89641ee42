/** What the registry answers, before it is sent. */
import type { Readable } from 'node:stream'

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | number>>
  readonly body?: string | Uint8Array
  /** Opens a blob's bytes, to be sent instead of a body. */
  readonly open?: () => Promise<Readable>
}

export function json(
  status: number,
  value: object,
  headers: Readonly<Record<string, string | undefined>> = {},
): Answer {
  const body = JSON.stringify(value)
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      ...definedOnly(headers),
    },
    body,
  }
}

const definedOnly = (headers: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )

export const created = (name: string, kind: 'blobs' | 'manifests', digest: string) => ({
  status: 201,
  headers: {
    location: `/v2/${name}/${kind}/${digest}`,
    'docker-content-digest': digest,
    'content-length': 0,
  },
})
