/** Cross-origin answers of a function URL. What the URL's configuration says overrides what the function says. Pure. */
import type { UrlCors } from '#contracts/function-url.ts'

const ANY = '*'

/** Origins may be named exactly or with one wildcard, such as `https://*.example.org`. */
function allowsOrigin(allowed: readonly string[], origin: string): boolean {
  return allowed.some((pattern) => {
    if (pattern === ANY || pattern === origin) return true
    const [before, after, more] = pattern.split(ANY)
    if (after === undefined || more !== undefined || before === undefined) return false
    return (
      origin.length >= before.length + after.length && origin.startsWith(before) && origin.endsWith(after)
    )
  })
}

/** Headers for an answer to a request from `origin`; none when the origin is not allowed or there was none. */
export function corsHeaders(cors: UrlCors, origin: string | undefined): Record<string, string> {
  if (origin === undefined || !allowsOrigin(cors.allowOrigins ?? [], origin)) return {}
  const anybody = cors.allowOrigins?.includes(ANY) === true && !cors.allowCredentials
  return {
    'access-control-allow-origin': anybody ? ANY : origin,
    ...(cors.allowCredentials && { 'access-control-allow-credentials': 'true' }),
    ...(cors.exposeHeaders?.length && { 'access-control-expose-headers': cors.exposeHeaders.join(',') }),
    ...(!anybody && { vary: 'Origin' }),
  }
}

/** Headers for a preflight request, which never reaches the function. */
export function preflightHeaders(cors: UrlCors, origin: string | undefined): Record<string, string> {
  const common = corsHeaders(cors, origin)
  if (common['access-control-allow-origin'] === undefined) return {}
  return {
    ...common,
    ...(cors.allowMethods?.length && { 'access-control-allow-methods': cors.allowMethods.join(',') }),
    ...(cors.allowHeaders?.length && { 'access-control-allow-headers': cors.allowHeaders.join(',') }),
    ...(cors.maxAgeSeconds !== undefined && { 'access-control-max-age': String(cors.maxAgeSeconds) }),
  }
}
