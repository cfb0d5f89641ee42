/** The real SDK clients, pointed at a program under test, and what end-to-end tests often need of them. */
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam'
import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
  type CreateFunctionCommandInput,
  type InvokeCommandInput,
} from '@aws-sdk/client-lambda'
import { SignerClient } from '@aws-sdk/client-signer'
import { ZipFile } from 'yazl'

export const ROLE = 'arn:aws:iam::000000000000:role/lambda'
const common = (endpoint: string) => ({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  // What we look at are answers, not the client's patience.
  maxAttempts: 1,
})

export const lambdaClient = (endpoint: string) => new LambdaClient(common(endpoint))
export const signerClient = (endpoint: string) => new SignerClient(common(endpoint))
export const logsClient = (endpoint: string) => new CloudWatchLogsClient(common(endpoint))

/** Makes the role `ROLE`, which Lambda may assume: with --auth iam functions need one that is there. */
export const makeExecutionRole = (
  endpoint: string,
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
) =>
  new IAMClient({ ...common(endpoint), credentials }).send(
    new CreateRoleCommand({
      RoleName: 'lambda',
      AssumeRolePolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
        ],
      }),
    }),
  )

export interface ZipEntry {
  readonly content: string | Uint8Array
  readonly executable?: boolean
}

/** A zip of these files. */
export async function zipOf(
  files: Readonly<Record<string, string | Uint8Array | ZipEntry>>,
): Promise<Buffer> {
  const zip = new ZipFile()
  for (const [name, file] of Object.entries(files)) {
    const entry: ZipEntry = typeof file === 'string' || file instanceof Uint8Array ? { content: file } : file
    zip.addBuffer(Buffer.from(entry.content as string), name, {
      mode: entry.executable ? 0o100755 : 0o100644,
    })
  }
  zip.end()
  const chunks: Buffer[] = []
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

type Create = Partial<CreateFunctionCommandInput> & {
  readonly FunctionName: string
  readonly files: Readonly<Record<string, string | Uint8Array | ZipEntry>>
}

/** Creates a function (Node by default) and waits until it is Active. */
export async function createFunction(lambda: LambdaClient, { files, ...input }: Create) {
  await lambda.send(
    new CreateFunctionCommand({
      Runtime: 'nodejs26.x',
      Handler: 'index.handler',
      Role: ROLE,
      Code: { ZipFile: await zipOf(files) },
      ...input,
    }),
  )
  await waitUntilFunctionActiveV2(
    { client: lambda, maxWaitTime: 60, minDelay: 1, maxDelay: 1 },
    { FunctionName: input.FunctionName },
  )
  return lambda.send(new GetFunctionConfigurationCommand({ FunctionName: input.FunctionName }))
}

export interface Answered {
  readonly status: number | undefined
  readonly functionError: string | undefined
  readonly executedVersion: string | undefined
  readonly requestId: string
  readonly text: string
  /** Undefined when the payload is empty. */
  readonly payload: unknown
  readonly log: string
}

/** One Invoke through the SDK, with everything a test looks at taken apart. */
export async function invoke(
  lambda: LambdaClient,
  name: string,
  payload?: unknown,
  input: Partial<InvokeCommandInput> = {},
): Promise<Answered> {
  const answer = await lambda.send(
    new InvokeCommand({
      FunctionName: name,
      ...(payload === undefined
        ? {}
        : { Payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)) }),
      ...input,
    }),
  )
  const text = Buffer.from(answer.Payload ?? []).toString()
  return {
    status: answer.StatusCode,
    functionError: answer.FunctionError,
    executedVersion: answer.ExecutedVersion,
    requestId: answer.$metadata.requestId ?? '',
    text,
    payload: text === '' ? undefined : JSON.parse(text),
    log: Buffer.from(answer.LogResult ?? '', 'base64').toString(),
  }
}

/** Polls until `look` gives something; throws with `what` when it never does. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined>,
  deadlineMs = 20_000,
): Promise<T> {
  const until = Date.now() + deadlineMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > until) throw new Error(`It never came to this: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** All messages of a function's log group so far, oldest first; empty while there is no group. */
export async function logMessages(logs: CloudWatchLogsClient, name: string): Promise<string[]> {
  const messages: string[] = []
  let nextToken: string | undefined
  do {
    try {
      const page = await logs.send(
        new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}`, nextToken }),
      )
      messages.push(...(page.events ?? []).map((event) => event.message ?? ''))
      nextToken = page.nextToken
    } catch (error) {
      if ((error as Error).name === 'ResourceNotFoundException') return messages
      throw error
    }
  } while (nextToken !== undefined)
  return messages
}

/** Name, status and message of the error that `run` rejects with. */
export async function errorOf(run: Promise<unknown>) {
  try {
    await run
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } }
    return { name, message, status: $metadata?.httpStatusCode }
  }
  throw new Error('It was expected to fail, and did not')
}
