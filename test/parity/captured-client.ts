/** The real SDK clients, with a view of the answer's own bytes: what the SDK parses is less than what was sent. */
import { Buffer } from 'node:buffer'
import { Readable } from 'node:stream'

import * as kms from '@aws-sdk/client-kms'
import * as lambda from '@aws-sdk/client-lambda'

export interface CapturedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Buffer
}

export interface CapturedClient {
  /**
   * Sends the command that the operation is named after; the answer is the server's, error or not. `kms:CreateKey` names
   * an operation of KMS.
   */
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
/** What the clients have in common; each knows commands of its own service only. */
interface Sender {
  send(command: never): Promise<unknown>
  destroy(): void
}
type CommandClass = new (input: object) => never

/** The service's name and the class of the command that an operation is named after. */
function commandOf(operation: string): [service: 'kms' | 'lambda', Command: CommandClass] {
  const isKms = operation.startsWith('kms:')
  const commands = (isKms ? kms : lambda) as unknown as Readonly<Record<string, CommandClass | undefined>>
  const found = commands[`${operation.slice(isKms ? 'kms:'.length : 0)}Command`]
  if (!found) throw new Error(`The SDK has no command for '${operation}'`)
  return [isKms ? 'kms' : 'lambda', found]
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
  const options = {
    endpoint,
    region,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
    // Only the method that the client calls; the rest of the interface is about its own configuration.
    requestHandler: handler as never,
  }
  const clients: Readonly<Record<'kms' | 'lambda', Sender>> = {
    lambda: new lambda.LambdaClient(options),
    kms: new kms.KMSClient(options),
  }
  return {
    async send(operation, input) {
      last = undefined
      const [service, Command] = commandOf(operation)
      try {
        await clients[service].send(new Command(input))
      } catch (error) {
        // The server's errors are looked at as bytes; those of the SDK itself are mistakes of the case.
        if (last === undefined) throw error
      }
      return last ?? fail(operation)
    },
    close() {
      clients.lambda.destroy()
      clients.kms.destroy()
    },
  }
}

const fail = (operation: string): never => {
  throw new Error(`'${operation}' never reached the server`)
}

/** One pool of connections for all clients. */
export type SharedHandler = Handler & { destroy(): void }

export const createSharedHandler = (): SharedHandler =>
  new lambda.LambdaClient({ region: 'us-east-1' }).config.requestHandler as unknown as SharedHandler
