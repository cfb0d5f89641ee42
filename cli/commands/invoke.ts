import { readFileSync } from 'node:fs'

import { UsageError, type Command, type CommandContext } from '../command.ts'

export interface Invoked {
  readonly status: number
  readonly functionError: string | null
  readonly executedVersion: string | null
  readonly requestId: string | null
  readonly log: string | undefined
  readonly payload: Buffer
}

/** One Invoke request. */
export async function invoke(
  { client }: Pick<CommandContext, 'client'>,
  request: {
    readonly name: string
    readonly payload: Uint8Array
    readonly type?: 'RequestResponse' | 'Event' | 'DryRun'
    readonly qualifier?: string | undefined
    readonly tail?: boolean
  },
): Promise<Invoked> {
  const query = request.qualifier === undefined ? '' : `?Qualifier=${encodeURIComponent(request.qualifier)}`
  const { status, headers, body } = await client.rest(
    'POST',
    `/2015-03-31/functions/${encodeURIComponent(request.name)}/invocations${query}`,
    {
      body: request.payload,
      headers: {
        'x-amz-invocation-type': request.type ?? 'RequestResponse',
        ...(request.tail ? { 'x-amz-log-type': 'Tail' } : {}),
      },
    },
  )
  const log = headers.get('x-amz-log-result')
  return {
    status,
    functionError: headers.get('x-amz-function-error'),
    executedVersion: headers.get('x-amz-executed-version'),
    requestId: headers.get('x-amzn-requestid'),
    log: log === null ? undefined : Buffer.from(log, 'base64').toString(),
    payload: body,
  }
}

function readPayload(word: string | undefined): Buffer {
  if (word === undefined) return Buffer.from('{}')
  if (word === '-') return readFileSync(0)
  if (!word.startsWith('@')) return Buffer.from(word)
  try {
    return readFileSync(word.slice(1))
  } catch (error) {
    throw new UsageError(`The payload file cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

export const invokeCommand: Command = {
  name: 'invoke',
  usage: 'NAME [PAYLOAD]',
  summary: 'Invokes a function and prints its answer. PAYLOAD is JSON, @FILE, or - for standard input.',
  positionals: { min: 1, max: 2 },
  options: {
    qualifier: { type: 'string', short: 'q', value: 'VERSION', help: 'version or alias' },
    async: { type: 'boolean', help: 'queue it (InvocationType Event) and return at once' },
    'dry-run': { type: 'boolean', help: 'check the request, run nothing' },
    log: { type: 'boolean', short: 'l', help: 'print the end of the log as well' },
  },
  examples: [
    'lambent invoke hello',
    `lambent invoke resize @event.json --log`,
    `echo '{"n": 1}' | lambent invoke orders - --qualifier live`,
    `lambent invoke orders '{}' --async --json`,
  ],
  async run(context) {
    const { positionals, values, out } = context
    const result = await invoke(context, {
      name: positionals[0] ?? '',
      payload: readPayload(positionals[1]),
      type: values['dry-run'] ? 'DryRun' : values['async'] ? 'Event' : 'RequestResponse',
      qualifier: values['qualifier'] as string | undefined,
      tail: values['log'] === true,
    })
    if (out.isJson) {
      out.json({
        StatusCode: result.status,
        ...(result.functionError ? { FunctionError: result.functionError } : {}),
        ...(result.executedVersion ? { ExecutedVersion: result.executedVersion } : {}),
        RequestId: result.requestId,
        ...(result.log === undefined ? {} : { Log: result.log }),
        Payload: result.payload.toString(),
      })
    } else {
      if (result.log !== undefined) out.note(result.log.trimEnd())
      if (result.functionError) out.note(`The function failed (${result.functionError}):`)
      if (result.payload.length > 0) out.line(result.payload.toString())
      else out.note(result.status === 202 ? `Queued: ${result.requestId}` : 'The request is valid')
    }
    return result.functionError ? 1 : 0
  },
}
