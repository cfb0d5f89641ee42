/** The client's side of the API: plain HTTP to a running Lambent (or to AWS-compatible anything). */

/** What the endpoint answered when it was not a success. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly code: string
  readonly status: number
  /** The API takes no more requests just now, and has not looked at this one. */
  readonly isTooFast: boolean

  constructor(code: string, status: number, message: string, reason?: string) {
    super(message)
    this.code = code
    this.status = status
    this.isTooFast = status === 429 && reason === 'CallerRateLimitExceeded'
  }
}

/** The endpoint can't be reached at all. */
export class Unreachable extends Error {
  override name = 'Unreachable'
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
}

export interface Client {
  readonly endpoint: string
  readonly region: string
  /** REST-JSON call of the Lambda API; `path` starts with `/`. Throws `ApiError` for any status from 400 on. */
  rest(method: string, path: string, options?: RestOptions): Promise<Answer>
  /** The same, with the answer's JSON parsed. */
  json<T>(method: string, path: string, options?: RestOptions): Promise<T>
  /** AWS JSON 1.1 call of the CloudWatch Logs API. */
  logs<T>(operation: string, input: object): Promise<T>
}

export interface RestOptions {
  readonly body?: object | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

/** A 15 minute invocation must fit; everything else answers far sooner. */
const DEADLINE_MS = 16 * 60_000
/** Of a request that the API had no time for; the whole takes twice as long. */
const LONGEST_WAIT_MS = 4000

export function createClient(options: {
  readonly endpoint: string
  readonly region: string
  /** Adds the signature headers. */
  readonly sign: (request: SignableRequest) => Record<string, string>
}): Client {
  const { endpoint, region, sign } = options
  const send = async (service: string, method: string, path: string, given: RestOptions): Promise<Answer> => {
    const url = new URL(path, endpoint)
    const body =
      given.body === undefined
        ? new Uint8Array()
        : given.body instanceof Uint8Array
          ? given.body
          : Buffer.from(JSON.stringify(given.body))
    const headers: Record<string, string> = { ...given.headers }
    if (given.body !== undefined && !(given.body instanceof Uint8Array))
      headers['content-type'] ??= 'application/json'
    let response: Response
    try {
      response = await fetch(url, {
        method,
        headers: sign({ service, method, url, headers, body }),
        ...(given.body === undefined ? {} : { body: Buffer.from(body) }),
        signal: AbortSignal.timeout(DEADLINE_MS),
      })
    } catch (error) {
      const { cause } = error as { cause?: { code?: string; message?: string } }
      throw new Unreachable(
        `Nothing answers at ${endpoint} (${cause?.code ?? cause?.message ?? (error as Error).message}). Start it with: lambent up`,
        { cause: error },
      )
    }
    const answer = {
      status: response.status,
      headers: response.headers,
      body: Buffer.from(await response.arrayBuffer()),
    }
    if (answer.status >= 400) throw apiError(answer)
    return answer
  }
  const rest = async (method: string, path: string, given: RestOptions = {}) => {
    for (let waitMs = 200; ; waitMs *= 2) {
      try {
        return await send('lambda', method, path, given)
      } catch (error) {
        if (!(error instanceof ApiError) || !error.isTooFast || waitMs > LONGEST_WAIT_MS) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs))
    }
  }
  return {
    endpoint,
    region,
    rest,
    json: async <T>(method: string, path: string, given?: RestOptions) => {
      const { body } = await rest(method, path, given)
      return (body.length === 0 ? undefined : JSON.parse(body.toString())) as T
    },
    logs: async <T>(operation: string, input: object) => {
      const { body } = await send('logs', 'POST', '/', {
        body: Buffer.from(JSON.stringify(input)),
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': `Logs_20140328.${operation}`,
        },
      })
      return (body.length === 0 ? undefined : JSON.parse(body.toString())) as T
    },
  }
}

export interface SignableRequest {
  readonly service: string
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

function apiError(answer: Answer): ApiError {
  let members: { message?: string; Message?: string; __type?: string; Reason?: string } = {}
  try {
    members = JSON.parse(answer.body.toString()) as typeof members
  } catch {
    // Not JSON: the raw text is the best there is.
  }
  const name = answer.headers.get('x-amzn-errortype') ?? members.__type ?? `HTTP ${answer.status}`
  const text = members.message ?? members.Message ?? answer.body.toString().slice(0, 500)
  return new ApiError(name.split(':')[0]?.split('#').at(-1) ?? name, answer.status, text, members.Reason)
}
