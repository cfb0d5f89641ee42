/** A runtime that speaks the HTTP Runtime API, as a list of actions. */
import { Agent, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** Sees the answers so far and does one thing; its answer, if any, joins them. */
export type Action = (runtime: FakeRuntime) => Promise<Answer | undefined>

export interface FakeRuntime {
  readonly answers: Answer[]
  /** Of the invocation that it was given last. */
  requestId(): string
  call(
    method: string,
    path: string,
    options?: {
      readonly headers?: Readonly<Record<string, string>>
      readonly chunks?: readonly (string | Uint8Array)[]
      readonly trailers?: Readonly<Record<string, string>>
    },
  ): Promise<Answer>
}

const API = '/2018-06-01/runtime'

export const next = (): Action => (runtime) => runtime.call('GET', `${API}/invocation/next`)

export const respond =
  (
    body: string | Uint8Array,
    options: { readonly id?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Action =>
  (runtime) =>
    runtime.call('POST', `${API}/invocation/${options.id ?? runtime.requestId()}/response`, {
      chunks: [body],
      ...(options.headers && { headers: options.headers }),
    })

export const fail =
  (body: string, headers: Readonly<Record<string, string>> = {}): Action =>
  (runtime) =>
    runtime.call('POST', `${API}/invocation/${runtime.requestId()}/error`, { chunks: [body], headers })

export const failInit =
  (body: string, headers: Readonly<Record<string, string>> = {}): Action =>
  (runtime) =>
    runtime.call('POST', `${API}/init/error`, { chunks: [body], headers })

export const stream =
  (
    chunks: readonly string[],
    trailers: Readonly<Record<string, string>> = {},
    headers: Readonly<Record<string, string>> = {},
  ): Action =>
  (runtime) =>
    runtime.call('POST', `${API}/invocation/${runtime.requestId()}/response`, {
      chunks,
      trailers,
      headers: {
        'Lambda-Runtime-Function-Response-Mode': 'streaming',
        'Transfer-Encoding': 'chunked',
        Trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body',
        ...headers,
      },
    })

export const call =
  (method: string, path: string): Action =>
  (runtime) =>
    runtime.call(method, path)

export const sleep =
  (ms: number): Action =>
  () =>
    new Promise((resolve) => {
      setTimeout(() => resolve(undefined), ms)
    })

/** Does one action after the other and returns the answers. `port` is the Runtime API's, on the loopback. */
export async function runFakeRuntime(port: number, actions: readonly Action[]): Promise<readonly Answer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const answers: Answer[] = []
  const runtime: FakeRuntime = {
    answers,
    requestId: () =>
      String(
        answers.findLast((answer) => 'lambda-runtime-aws-request-id' in answer.headers)?.headers[
          'lambda-runtime-aws-request-id'
        ],
      ),
    call: (method, path, { headers = {}, chunks = [], trailers = {} } = {}) =>
      new Promise((resolve, reject) => {
        const size = chunks.reduce((sum, chunk) => sum + Buffer.byteLength(chunk), 0)
        const length =
          'Transfer-Encoding' in headers || method === 'GET' ? {} : { 'Content-Length': String(size) }
        const req = request({
          port,
          host: '127.0.0.1',
          method,
          path,
          agent,
          headers: { ...headers, ...length },
        })
        req.on('error', reject)
        req.on('response', (res) => {
          let text = ''
          res.setEncoding('utf8').on('data', (part: string) => (text += part))
          res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text }))
        })
        for (const chunk of chunks) req.write(chunk)
        if (Object.keys(trailers).length > 0) req.addTrailers(trailers)
        req.end()
      }),
  }
  try {
    for (const action of actions) {
      const answer = await action(runtime)
      if (answer) answers.push(answer)
    }
    return answers
  } finally {
    agent.destroy()
  }
}
