/** What the registry answers, before it is sent. */

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | number>>
  readonly body?: string | Uint8Array
  /** A blob's bytes from `start` to `end` inclusive, instead of a body. */
  readonly stream?: { readonly path: string; readonly start: number; readonly end: number }
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
