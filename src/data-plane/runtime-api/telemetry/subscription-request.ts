/** What an extension may ask of the Telemetry API 2022-07-01 and of the older Logs API 2020-08-15. Pure. */

import type { TelemetryCategory } from '#data-plane/runtime-api/port.ts'

export interface Buffering {
  readonly maxItems: number
  readonly maxBytes: number
  readonly timeoutMs: number
}

export type Destination =
  | { readonly protocol: 'HTTP'; readonly port: number; readonly path: string }
  | { readonly protocol: 'TCP'; readonly port: number }

export interface Subscription {
  readonly categories: ReadonlySet<TelemetryCategory>
  readonly buffering: Buffering
  readonly destination: Destination
}

/** Schema versions by API. Sources: reference pages of the developer guide. */
const SCHEMA_VERSIONS = {
  telemetry: ['2022-07-01', '2022-12-13', '2025-01-29'],
  logs: ['2020-08-15', '2021-03-18'],
} as const
export type TelemetryApi = keyof typeof SCHEMA_VERSIONS

const CATEGORIES: ReadonlySet<unknown> = new Set(['platform', 'function', 'extension'])
/** The only names of the environment that a destination may have. Source: AWS's own emulator. */
const HOSTS: ReadonlySet<string> = new Set(['sandbox.localdomain', 'sandbox'])

/** Member, default, least, most. Source: developer guide; where it and AWS's emulator differ on a default, the emulator. */
const BUFFERING = [
  ['maxItems', 10_000, 1000, 10_000],
  ['maxBytes', 262_144, 262_144, 1_048_576],
  ['timeoutMs', 1000, 25, 30_000],
] as const

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function readBuffering(value: unknown, problems: string[]): Buffering {
  const given = isObject(value) ? value : {}
  if (value !== undefined && !isObject(value)) problems.push('buffering should be an object')
  const entries = BUFFERING.map(([name, fallback, least, most]) => {
    const number = given[name] ?? fallback
    if (!Number.isInteger(number) || (number as number) < least || (number as number) > most)
      problems.push(`${name} should be between ${least} and ${most}`)
    return [name, number]
  })
  return Object.fromEntries(entries) as unknown as Buffering
}

function readDestination(value: unknown, problems: string[]): Destination | undefined {
  if (!isObject(value)) {
    problems.push('destination is not provided')
    return undefined
  }
  const { protocol, URI: uri, port } = value
  if (protocol === 'TCP') {
    if (Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65_535)
      return { protocol, port: port as number }
    problems.push('port should be between 1 and 65535')
  } else if (protocol === 'HTTP') {
    const url = typeof uri === 'string' ? URL.parse(uri) : null
    if (url === null || url.protocol !== 'http:') problems.push('URI is not valid')
    else if (!HOSTS.has(url.hostname)) problems.push('URI host should be sandbox.localdomain')
    else if (url.port === '') problems.push('URI port is not provided')
    else return { protocol, port: Number(url.port), path: `${url.pathname}${url.search}` }
  } else problems.push('protocol should be HTTP or TCP')
  return undefined
}

/**
 * The subscription that `body` asks for, or what is wrong with it: texts joined by `; ` as AWS joins them. The text on a
 * missing port and on empty types is AWS's (developer guide), those of the others are ours.
 */
export function readSubscription(api: TelemetryApi, body: Buffer): Subscription | string {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch {
    return 'the body is not valid JSON'
  }
  if (!isObject(value)) return 'the body should be an object'
  const problems: string[] = []
  const { schemaVersion, types, buffering, destination } = value
  // The first clients of the Logs API sent none.
  const versions: readonly unknown[] = SCHEMA_VERSIONS[api]
  if (!versions.includes(schemaVersion) && !(api === 'logs' && schemaVersion === undefined))
    problems.push(`schemaVersion should be one of ${SCHEMA_VERSIONS[api].join(', ')}`)
  const where = readDestination(destination, problems)
  if (!Array.isArray(types) || types.length === 0) problems.push('types should not be empty')
  else if (!types.every((type) => CATEGORIES.has(type)))
    problems.push(`types should be of ${[...CATEGORIES].join(', ')}`)
  const limits = readBuffering(buffering, problems)
  if (problems.length > 0 || !where) return problems.join('; ')
  return { categories: new Set(types as TelemetryCategory[]), buffering: limits, destination: where }
}
