/** Calls of our services to a service that runs elsewhere: real AWS, or another server that speaks its API. */
import { LambdaError } from '#contracts/errors.ts'
import type { ServiceCall, ServiceCalls } from '#contracts/service-calls.ts'
import type { Clock } from '#kernel/clock.ts'
import { MIB } from '#kernel/units.ts'
import { createJsonReaders } from '#wire/json-reader.ts'
import { createJsonWriters } from '#wire/json-writer.ts'
import { memberShape, type ServiceModel } from '#wire/model.ts'
import { signRequest, type SigningCredentials } from '#wire/sigv4-sign.ts'

export interface ForeignService {
  readonly model: ServiceModel
  /** `https://sns.eu-central-1.amazonaws.com` or `http://127.0.0.1:9911`. */
  readonly url: string
  /** Undefined: requests go unsigned. */
  readonly credentials: SigningCredentials | undefined
  readonly clock: Clock
  /** 15 s by default. */
  readonly timeoutMs?: number
}

interface Speech {
  encode(
    operation: string,
    input: object,
  ): { readonly headers: Record<string, string>; readonly body: string }
  decode(operation: string, body: string): object
  /** Name and text of an error. */
  failure(body: string): { readonly code?: string | undefined; readonly message?: string | undefined }
}

const MAX_ANSWER_BYTES = 4 * MIB
const ANSWER_TIMEOUT_MS = 15_000

/** Throttles and what a service says of itself may be tried again; so may a connection that broke. */
export function createForeignCalls(service: ForeignService): ServiceCalls {
  const { model, credentials, clock, timeoutMs = ANSWER_TIMEOUT_MS } = service
  const url = new URL(service.url)
  const speech = model.protocol === 'aws-query' ? querySpeech(model) : jsonSpeech(model)

  const send = async ({ operation, input, region, signal }: ServiceCall) => {
    const { headers: plain, body } = speech.encode(operation, input)
    const headers = credentials
      ? signRequest({
          method: 'POST',
          url,
          headers: plain,
          body: Buffer.from(body),
          credentials,
          region,
          service: model.signingName,
          nowMs: clock.now(),
        })
      : plain
    const deadline = AbortSignal.timeout(timeoutMs)
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    })
    return { status: response.status, text: await boundedText(response) }
  }

  return {
    async call(call) {
      let answer: Awaited<ReturnType<typeof send>>
      try {
        answer = await send(call)
      } catch (error) {
        if (call.signal?.aborted) throw error
        throw unreachable(url, error)
      }
      const { status, text } = answer
      try {
        if (status >= 200 && status < 300) return speech.decode(call.operation, text)
        const { code, message } = speech.failure(text)
        throw new LambdaError(code ?? `HTTP${status}`, message ?? `${url.origin} answered ${status}`, {
          status,
        })
      } catch (error) {
        if (error instanceof LambdaError) throw error
        throw new LambdaError('InvalidAnswer', `${url.origin} answered ${status} with something unreadable`, {
          status: status >= 500 ? status : 502,
          cause: error,
        })
      }
    },
  }
}

const unreachable = (url: URL, cause: unknown) => {
  const { cause: inner, message } = cause as Error
  return new LambdaError(
    'ServiceUnavailable',
    `${url.origin} can't be reached: ${(inner as Error | undefined)?.message ?? message}`,
    { status: 503, cause },
  )
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > MAX_ANSWER_BYTES) throw new Error('the answer is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function jsonSpeech(model: ServiceModel): Speech {
  const writers = createJsonWriters(model)
  const readers = createJsonReaders(model)
  const version = model.protocol === 'aws-json-1.0' ? '1.0' : '1.1'
  const parse = (body: string) => (body === '' ? {} : (JSON.parse(body) as Record<string, unknown>))
  return {
    encode(operation, input) {
      const shape = model.operations[operation]?.input
      const json = shape === undefined ? {} : writers.of(shape)(input as never)
      return {
        headers: {
          'content-type': `application/x-amz-json-${version}`,
          'x-amz-target': `${model.targetPrefix ?? ''}.${operation}`,
        },
        body: JSON.stringify(json),
      }
    },
    decode(operation, body) {
      const shape = model.operations[operation]?.output
      return shape === undefined ? {} : (readers.of(shape)(parse(body)) as object)
    },
    failure(body) {
      const json = parse(body)
      const type = json['__type']
      const text = json['message'] ?? json['Message']
      return {
        code: typeof type === 'string' ? type.split('#').at(-1) : undefined,
        message: typeof text === 'string' ? text : undefined,
      }
    },
  }
}

/** Of answers only texts directly below the result are read; nobody who calls needs more. */
function querySpeech(model: ServiceModel): Speech {
  const leaf = (xml: string, name: string) => {
    const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
    return found === undefined ? undefined : unescapeXml(found)
  }
  return {
    encode(operation, input) {
      const parameters = new URLSearchParams({ Action: operation, Version: model.query?.version ?? '' })
      const shape = model.operations[operation]?.input
      if (shape !== undefined) flatten(model, shape, input, '', parameters)
      return {
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        body: parameters.toString(),
      }
    },
    decode(operation, body) {
      const name = model.operations[operation]?.output
      const shape = name === undefined ? undefined : model.shapes[name]
      if (shape?.type !== 'structure') return {}
      const found = Object.keys(shape.members).map((member) => [member, leaf(body, member)] as const)
      return Object.fromEntries(found.filter(([, text]) => text !== undefined))
    },
    failure: (body) => ({ code: leaf(body, 'Code'), message: leaf(body, 'Message') }),
  }
}

const unescapeXml = (text: string) =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll(/&#x([\da-f]{1,6});/gi, (_all, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replaceAll('&amp;', '&')

const CAPITALS = { key: 'Name', value: 'Value' }
const SMALL = { key: 'key', value: 'value' }

/** `MessageAttributes.entry.1.Name=a`: one parameter for each value at the end of a path. */
function flatten(
  model: ServiceModel,
  name: string,
  value: unknown,
  path: string,
  out: URLSearchParams,
): void {
  const shape = model.shapes[name]
  if (!shape || value === undefined || value === null) return
  const below = (part: string) => (path === '' ? part : `${path}.${part}`)
  switch (shape.type) {
    case 'structure':
    case 'union':
      for (const [member, of] of Object.entries(shape.members)) {
        flatten(model, memberShape(of), (value as Record<string, unknown>)[member], below(member), out)
      }
      return
    case 'list':
      for (const [index, item] of (value as readonly unknown[]).entries()) {
        flatten(model, shape.member, item, below(`member.${index + 1}`), out)
      }
      return
    case 'map': {
      // Attributes of messages begin with capitals in whatever service they are.
      const names = path.endsWith('Attributes') && path.includes('Message') ? CAPITALS : (shape.flat ?? SMALL)
      for (const [index, [key, item]] of Object.entries(value as object).entries()) {
        out.append(below(`entry.${index + 1}.${names.key}`), key)
        flatten(model, shape.value, item, below(`entry.${index + 1}.${names.value}`), out)
      }
      return
    }
    case 'blob':
      out.append(path, Buffer.from(value as Uint8Array).toString('base64'))
      return
    case 'timestamp':
      out.append(path, (value as Date).toISOString())
      return
    default:
      out.append(path, String(value))
  }
}
