/** How function URLs look in the API's answers. */
import type { CreateFunctionUrlConfigResponse, FunctionUrlConfig } from '@aws-sdk/client-lambda'

import { functionArn, LATEST } from '#contracts/arn.ts'
import type { FunctionUrl } from '#contracts/function-url.ts'

import { withoutUndefined } from '../functions/configuration.ts'
import { corsView } from './cors.ts'
import type { UrlName } from './url-name.ts'

/** The function's own URL has the unqualified ARN (recorded from AWS). */
export const urlArn = (url: FunctionUrl) =>
  functionArn(url, url.qualifier === LATEST ? undefined : url.qualifier)

/** `2026-01-01T00:00:00.000Z`; the form is unverified. */
const urlDate = (milliseconds: number) => new Date(milliseconds).toISOString()

/** What Get, List and Update answer. */
export const urlView = (url: FunctionUrl, name: UrlName, endpoint: string): FunctionUrlConfig =>
  withoutUndefined<FunctionUrlConfig>({
    FunctionUrl: name(url, endpoint),
    FunctionArn: urlArn(url),
    CreationTime: urlDate(url.createdAt),
    LastModifiedTime: urlDate(url.modifiedAt),
    Cors: url.cors && corsView(url.cors),
    AuthType: url.authType,
    InvokeMode: url.invokeMode,
  })

/** What Create answers: no time of modification, and the mode only when the request has named one (recorded). */
export function createdUrlView(
  url: FunctionUrl,
  name: UrlName,
  endpoint: string,
  requestedMode: string | undefined,
): CreateFunctionUrlConfigResponse {
  const { LastModifiedTime: _modified, InvokeMode, ...view } = urlView(url, name, endpoint)
  return { ...view, ...(requestedMode !== undefined && { InvokeMode }) }
}
