/** How other registries want to be asked: a challenge, then basic authentication or a token from elsewhere. */
import type { Clock } from '#kernel/clock.ts'

import { ImageRefused } from '../image-refused.ts'
import type { CredentialSource, RegistryCredentials } from './credentials.ts'
import { wholeOf, type RegistryHttp } from './registry-http.ts'

export interface RegistryAuthorisation {
  /** What worked for this repository the last time, if it still can. */
  known(repository: string): string | undefined
  /** The header that a challenge asks for; undefined: there is nothing to answer it with. */
  answer(repository: string, challenge: string, signal?: AbortSignal): Promise<string | undefined>
}

interface Challenge {
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
}

const MAX_TOKEN_BYTES = 64 * 1024
/** The token specification's default, where an answer says nothing. */
const DEFAULT_TOKEN_SECONDS = 60
const MAX_KNOWN = 256

/** The first challenge of a kind that can be answered. Exported for its tests. */
export function parseChallenge(header: string): Challenge | undefined {
  const match = /(?:^|,\s*)(bearer|basic)(?:\s+|$)/i.exec(header)
  if (!match) return undefined
  const rest = header.slice(match.index + match[0].length, match.index + 4096)
  const parameters: Record<string, string> = {}
  const pattern = /\s*,?\s*([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/iy
  for (let found = pattern.exec(rest); found; found = pattern.exec(rest)) {
    const [, name = '', quoted, plain = ''] = found
    parameters[name.toLowerCase()] = quoted === undefined ? plain : quoted.replaceAll(/\\(.)/g, '$1')
  }
  return { scheme: (match[1] ?? '').toLowerCase(), parameters }
}

export function createAuthorisation(options: {
  readonly host: string
  /** Plain HTTP is spoken with registries of this machine only, and then with their token servers too. */
  readonly isPlain: boolean
  readonly http: RegistryHttp
  readonly credentials: CredentialSource
  readonly clock: Clock
}): RegistryAuthorisation {
  const { host, isPlain, http, credentials, clock } = options
  const known = new Map<string, { readonly header: string; readonly until: number }>()

  const remember = (repository: string, header: string, seconds: number) => {
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(repository, { header, until: clock.monotonic() + seconds * 1000 })
    return header
  }

  const token = async (
    repository: string,
    { realm = '', service }: Readonly<Record<string, string>>,
    secret: RegistryCredentials | undefined,
    signal: AbortSignal | undefined,
  ) => {
    const url = URL.canParse(realm) ? new URL(realm) : undefined
    if (url?.protocol !== 'https:' && !(isPlain && url?.protocol === 'http:')) {
      throw new ImageRefused('unreachable', `${host}: its tokens come from a place without TLS`)
    }
    const query = { ...(service !== undefined && { service }), scope: `repository:${repository}:pull` }
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    const response =
      secret?.kind === 'identity-token'
        ? await http.request(new URL(realm), {
            form: new URLSearchParams({
              ...query,
              grant_type: 'refresh_token',
              client_id: 'lambent',
              refresh_token: secret.token,
            }),
            signal,
          })
        : await http.request(url, { headers: secret ? { authorization: basic(secret) } : {}, signal })
    const body = await wholeOf(response, MAX_TOKEN_BYTES)
    if (response.status === 401 || response.status === 403) {
      throw new ImageRefused('access-denied', `${host} refuses the credentials`)
    }
    const answer = readToken(body)
    if (response.status !== 200 || !answer) {
      throw new ImageRefused(
        'unreachable',
        `${host}: its token server answers ${response.status} without a token`,
      )
    }
    return remember(repository, `Bearer ${answer.token}`, answer.seconds)
  }

  return {
    known(repository) {
      const entry = known.get(repository)
      return entry && entry.until > clock.monotonic() ? entry.header : undefined
    },
    async answer(repository, challenge, signal) {
      known.delete(repository)
      const parsed = parseChallenge(challenge)
      const secret = await credentials(host)
      if (parsed?.scheme === 'bearer') return token(repository, parsed.parameters, secret, signal)
      if (parsed?.scheme !== 'basic' || secret?.kind !== 'basic') return undefined
      return remember(repository, basic(secret), 3600)
    },
  }
}

const basic = ({ user, password }: Extract<RegistryCredentials, { readonly kind: 'basic' }>) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

function readToken(body: Buffer): { readonly token: string; readonly seconds: number } | undefined {
  try {
    const value = JSON.parse(body.toString()) as Readonly<Record<string, unknown>>
    const token = value['token'] ?? value['access_token']
    const seconds = value['expires_in']
    // What can't stand in a header is no token.
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) return undefined
    return {
      token,
      seconds: typeof seconds === 'number' && seconds > 0 ? seconds * 0.9 : DEFAULT_TOKEN_SECONDS,
    }
  } catch {
    return undefined
  }
}
