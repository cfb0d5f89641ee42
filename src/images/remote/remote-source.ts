/** Images of one other registry, by the OCI distribution specification and what Docker's registry did before it. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'

import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'

import { ImageRefused } from '../image-refused.ts'
import { MANIFEST_TYPES, MAX_MANIFEST_BYTES } from '../manifest.ts'
import { isDigest, isLoopback } from '../reference.ts'
import type { ImageSource } from '../source.ts'
import { createAuthorisation } from './authorisation.ts'
import type { CredentialSource } from './credentials.ts'
import { downloadBlob } from './download-blob.ts'
import { wholeOf, type RegistryHttp, type RegistryResponse } from './registry-http.ts'

/** Where Docker's own registry answers when its name is used. */
const ALIASES: Readonly<Record<string, string>> = { 'docker.io': 'registry-1.docker.io' }

export interface RemoteSourceOptions {
  readonly host: string
  readonly http: RegistryHttp
  readonly credentials: CredentialSource
  /** Registries of this machine are asked only when there are credentials for them: callers are not trusted with its services. */
  readonly guardsLoopback?: boolean
  /** Of files that are being fetched. */
  readonly directory: string
  readonly clock: Clock
  readonly random: Random
}

export function createRemoteSource(options: RemoteSourceOptions): ImageSource {
  const { host, http, directory, clock, random, credentials, guardsLoopback = false } = options
  const isPlain = isLoopback(host)
  const authorisation = createAuthorisation({ ...options, isPlain })
  const base = `${isPlain ? 'http' : 'https'}://${ALIASES[host] ?? host}/v2/`

  const get = async (
    repository: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<RegistryResponse> => {
    if (guardsLoopback && isPlain && !(await credentials(host))) {
      throw new ImageRefused(
        'access-denied',
        `${host} is on this machine, and there are no credentials for it`,
      )
    }
    const url = new URL(`${base}${repository}/${path}`)
    const ask = (authorization: string | undefined) =>
      http.request(url, {
        headers: { ...headers, ...(authorization !== undefined && { authorization }) },
        signal,
      })
    let response = await ask(authorisation.known(repository))
    if (response.status === 401) {
      const challenge = response.headers.get('www-authenticate') ?? ''
      for await (const _ of response.body) break
      const answer = await authorisation.answer(repository, challenge, signal)
      if (answer !== undefined) response = await ask(answer)
    }
    return response
  }
  const refuse = async (response: RegistryResponse, what: string): Promise<never> => {
    const { status } = response
    for await (const _ of response.body) break
    if (status === 401 || status === 403)
      throw new ImageRefused('access-denied', `${host} refuses access to ${what}`)
    if (status === 404) throw new ImageRefused('not-found', `${host} has no ${what}`)
    throw new ImageRefused('unreachable', `${host} answers ${status} for ${what}`)
  }

  return {
    async manifest(repository, reference, signal) {
      const response = await get(
        repository,
        `manifests/${reference}`,
        { accept: MANIFEST_TYPES.join(', ') },
        signal,
      )
      if (response.status !== 200) return refuse(response, `${repository}:${reference}`)
      const bytes = await wholeOf(response, MAX_MANIFEST_BYTES)
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
      if (isDigest(reference) && reference !== digest) {
        throw new ImageRefused('damaged', 'The manifest does not hash to its digest')
      }
      return { bytes, digest, mediaType: response.headers.get('content-type') ?? '' }
    },
    blob: (repository, blob, signal) =>
      downloadBlob({
        blob,
        path: join(directory, `${blob.digest.slice('sha256:'.length)}.${random.hex(12)}`),
        clock,
        signal,
        async open(start) {
          const range: Record<string, string> = start > 0 ? { range: `bytes=${start}-` } : {}
          const response = await get(repository, `blobs/${blob.digest}`, range, signal)
          if (response.status === 200 || response.status === 206) return response
          return refuse(response, `blob ${blob.digest} in ${repository}`)
        },
      }),
  }
}
