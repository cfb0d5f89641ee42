/** What a function URL looks like from outside. */
import { isIP } from 'node:net'

import type { FunctionUrl } from '#contracts/function-url.ts'

/** The URL of a function for a client that has reached us at `endpoint`. */
export type UrlName = (url: FunctionUrl, endpoint: string) => string

/** A name below which others can be made; an address has none, but every resolver should know `*.localhost`. */
function parentHost(hostname: string): string {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return isIP(bare) === 0 ? bare : 'localhost'
}

/**
 * Without a template: `http://ID.lambda-url.REGION.HOST:PORT/`, below the host that the client has called us by.
 * A template has the places `{id}` and `{region}`, such as `https://{id}.lambda-url.{region}.example.org/`.
 */
export function createUrlName(template?: string): UrlName {
  if (template) {
    return ({ urlId, region }) => template.replaceAll('{id}', urlId).replaceAll('{region}', region)
  }
  return ({ urlId, region }, endpoint) => {
    // The endpoint holds what the client has written into its Host header.
    const { protocol = 'http:', hostname = 'localhost', port = '' } = URL.parse(endpoint) ?? {}
    const suffix = port === '' ? '' : `:${port}`
    return `${protocol}//${urlId}.lambda-url.${region}.${parentHost(hostname)}${suffix}/`
  }
}
