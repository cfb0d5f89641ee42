/** What browsers of other origins may do with a function URL: in the API's words and in ours. Pure. */
import type { Cors } from '@aws-sdk/client-lambda'

import { invalidParameter } from '#contracts/errors.ts'
import type { UrlCors } from '#contracts/function-url.ts'

import { withoutUndefined } from '../functions/configuration.ts'

/** OPTIONS is not among them: its length alone breaks the API model's constraint (developer guide, API model). */
const METHODS = new Set(['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'PATCH', '*'])

/** Undefined when nothing is set. Throws for a method that does not exist (text unverified). */
export function corsOf(cors: Cors): UrlCors | undefined {
  const unknown = cors.AllowMethods?.find((method) => !METHODS.has(method))
  if (unknown !== undefined) {
    throw invalidParameter(
      `Invalid method '${unknown}' in AllowMethods. Valid methods are GET, PUT, POST, DELETE, HEAD, PATCH and the wildcard character (*).`,
    )
  }
  const result = withoutUndefined<UrlCors>({
    ...(cors.AllowCredentials !== undefined && { allowCredentials: cors.AllowCredentials }),
    ...(cors.AllowHeaders && { allowHeaders: cors.AllowHeaders }),
    ...(cors.AllowMethods && { allowMethods: cors.AllowMethods }),
    ...(cors.AllowOrigins && { allowOrigins: cors.AllowOrigins }),
    ...(cors.ExposeHeaders && { exposeHeaders: cors.ExposeHeaders }),
    ...(cors.MaxAge !== undefined && { maxAgeSeconds: cors.MaxAge }),
  })
  return Object.keys(result).length > 0 ? result : undefined
}

export const corsView = (cors: UrlCors): Cors =>
  withoutUndefined<Cors>({
    AllowCredentials: cors.allowCredentials,
    AllowHeaders: cors.allowHeaders && [...cors.allowHeaders],
    AllowMethods: cors.allowMethods && [...cors.allowMethods],
    AllowOrigins: cors.allowOrigins && [...cors.allowOrigins],
    ExposeHeaders: cors.exposeHeaders && [...cors.exposeHeaders],
    MaxAge: cors.maxAgeSeconds,
  })
