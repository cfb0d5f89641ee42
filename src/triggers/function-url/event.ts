/** The event a function gets for a request to its URL: payload format 2.0 (developer guide). Pure. */
import type { FunctionUrl } from '#contracts/function-url.ts'

export interface UrlRequest {
  readonly method: string
  /** As it came, percent-encoding kept. */
  readonly path: string
  readonly query: string
  /** Names and values in the order they came. */
  readonly rawHeaders: readonly string[]
  readonly body: Uint8Array
  readonly sourceIp: string
  readonly domainName: string
  readonly protocol: string
}

export interface UrlCaller {
  readonly accessKeyId: string
  readonly account: string
  readonly arn: string
}

/** Bodies of these types travel as text; all others, and those without a type, as base64 (as in HTTP APIs; unverified). */
const TEXT_TYPE = /^(text\/|application\/(json|javascript|xml|[^;]*\+(json|xml))\s*(;|$))/i

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `12/Mar/2020:19:03:58 +0000`. */
export function commonLogTime(epochMs: number): string {
  const date = new Date(epochMs)
  const two = (value: number) => String(value).padStart(2, '0')
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':')
  return `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:${time} +0000`
}

function collectHeaders(rawHeaders: readonly string[]) {
  const headers: Record<string, string> = {}
  const cookies: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? ''
    const value = rawHeaders[index + 1] ?? ''
    if (name === 'cookie') cookies.push(...value.split(/;\s*/).filter((cookie) => cookie !== ''))
    // Repeated headers are joined by commas.
    else headers[name] = Object.hasOwn(headers, name) ? `${headers[name]},${value}` : value
  }
  return { headers, cookies }
}

function collectQuery(query: string): Record<string, string> | undefined {
  if (query === '') return undefined
  const parameters: Record<string, string> = {}
  for (const [name, value] of new URLSearchParams(query)) {
    parameters[name] = Object.hasOwn(parameters, name) ? `${parameters[name]},${value}` : value
  }
  return parameters
}

/** The event as it is sent to the function. `caller` is there for AWS_IAM only. */
export function urlEvent(
  url: FunctionUrl,
  request: UrlRequest,
  stamp: { readonly requestId: string; readonly nowMs: number; readonly traceId: string | undefined },
  caller: UrlCaller | undefined,
): object {
  const { headers, cookies } = collectHeaders(request.rawHeaders)
  const queryStringParameters = collectQuery(request.query)
  const isText = TEXT_TYPE.test(headers['content-type'] ?? '')
  const { body } = request
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: request.path,
    rawQueryString: request.query,
    ...(cookies.length > 0 && { cookies }),
    headers: {
      ...headers,
      'x-forwarded-for': request.sourceIp,
      'x-forwarded-proto': request.protocol,
      'x-forwarded-port':
        request.protocol === 'https' ? '443' : (/:(\d+)$/.exec(headers['host'] ?? '')?.[1] ?? '80'),
      ...(stamp.traceId !== undefined && { 'x-amzn-trace-id': stamp.traceId }),
    },
    ...(queryStringParameters && { queryStringParameters }),
    requestContext: {
      accountId: caller?.account ?? 'anonymous',
      apiId: url.urlId,
      ...(caller && {
        authorizer: {
          iam: {
            accessKey: caller.accessKeyId,
            accountId: caller.account,
            callerId: caller.accessKeyId,
            cognitoIdentity: null,
            principalOrgId: null,
            userArn: caller.arn,
            userId: caller.accessKeyId,
          },
        },
      }),
      domainName: request.domainName,
      domainPrefix: url.urlId,
      http: {
        method: request.method,
        path: request.path,
        protocol: 'HTTP/1.1',
        sourceIp: request.sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: stamp.requestId,
      routeKey: '$default',
      stage: '$default',
      time: commonLogTime(stamp.nowMs),
      timeEpoch: stamp.nowMs,
    },
    ...(body.byteLength > 0 && {
      body: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString(isText ? 'utf8' : 'base64'),
    }),
    isBase64Encoded: body.byteLength > 0 && !isText,
  }
}
