/** The real SDK client, with a view of the answer's own bytes: what the SDK parses is less than what was sent. */
import { Buffer } from 'node:buffer'
import { Readable } from 'node:stream'

import * as sdk from '@aws-sdk/client-lambda'

export interface CapturedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Buffer
}

export interface CapturedClient {
  /** Sends the command that the operation is named after; the answer is the server's, error or not. */
  send(operation: string, input: object): Promise<CapturedAnswer>
  close(): void
}

interface HandlerAnswer {
  readonly response: {
    statusCode: number
    headers: Record<string, string>
    body: AsyncIterable<Uint8Array>
  }
}
interface Handler {
  handle(request: unknown, options?: unknown): Promise<HandlerAnswer>
}
type CommandClass = new (input: object) => object

const commandOf = (operation: string): CommandClass => {
  const found = (sdk as unknown as Readonly<Record<string, CommandClass | undefined>>)[`${operation}Command`]
  if (!found) throw new Error(`The SDK has no command for '${operation}'`)
  return found
}

export function createCapturedClient(
  endpoint: string,
  region: string,
  agents: SharedHandler,
): CapturedClient {
  let last: CapturedAnswer | undefined
  const handler: Handler = {
    async handle(request, options) {
      const answer = await agents.handle(request, options)
      const chunks: Uint8Array[] = []
      for await (const chunk of answer.response.body) chunks.push(chunk)
      const bytes = Buffer.concat(chunks)
      last = { status: answer.response.statusCode, headers: answer.response.headers, bytes }
      answer.response.body = Readable.from([bytes])
      return answer
    },
  }
  const client = new sdk.LambdaClient({
    endpoint,
    region,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
    // Only the method that the client calls; the rest of the interface is about its own configuration.
    requestHandler: handler as never,
  })
  return {
    async send(operation, input) {
      last = undefined
      const command = new (commandOf(operation))(input)
      try {
        await client.send(command as never)
      } catch (error) {
        // The server's errors are looked at as bytes; those of the SDK itself are mistakes of the case.
        if (last === undefined) throw error
      }
      return last ?? fail(operation)
    },
    close: () => client.destroy(),
  }
}

const fail = (operation: string): never => {
  throw new Error(`'${operation}' never reached the server`)
}

/** One pool of connections for all clients. */
export type SharedHandler = Handler & { destroy(): void }

export const createSharedHandler = (): SharedHandler =>
  new sdk.LambdaClient({ region: 'us-east-1' }).config.requestHandler as unknown as SharedHandler
