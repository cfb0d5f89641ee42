import { basename, resolve } from 'node:path'

import { ApiError } from '../client.ts'
import { UsageError, type Command, type CommandContext } from '../command.ts'
import { codeSha256, guessCode, packageCode } from '../package-code.ts'
import { size } from '../table.ts'
import { waitUntilReady, type FunctionConfiguration } from '../wait.ts'

const DEFAULT_ROLE = 'arn:aws:iam::000000000000:role/lambda'
const FUNCTIONS = '/2015-03-31/functions'

export interface Deployment {
  readonly name: string
  readonly path: string
  readonly runtime?: string
  readonly handler?: string
  readonly role?: string
  readonly memoryMiB?: number
  readonly timeoutSeconds?: number
  readonly environment?: Readonly<Record<string, string>>
  readonly layers?: readonly string[]
  readonly publish?: boolean
}

/** Creates the function, or brings an existing one up to date; resolves when it can be invoked. */
export async function deploy(
  { client, out, signal }: Pick<CommandContext, 'client' | 'out' | 'signal'>,
  wanted: Deployment,
): Promise<{
  readonly action: 'created' | 'updated' | 'unchanged'
  readonly function: FunctionConfiguration
}> {
  const zip = await packageCode(wanted.path)
  out.note(`Packed ${wanted.path}: ${size(zip.length)}`)
  const url = `${FUNCTIONS}/${encodeURIComponent(wanted.name)}`
  const existing = await client
    .json<FunctionConfiguration>('GET', `${url}/configuration`)
    .catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return undefined
      throw error
    })
  const configuration = {
    ...(wanted.runtime === undefined ? {} : { Runtime: wanted.runtime }),
    ...(wanted.handler === undefined ? {} : { Handler: wanted.handler }),
    ...(wanted.role === undefined ? {} : { Role: wanted.role }),
    ...(wanted.memoryMiB === undefined ? {} : { MemorySize: wanted.memoryMiB }),
    ...(wanted.timeoutSeconds === undefined ? {} : { Timeout: wanted.timeoutSeconds }),
    ...(wanted.environment === undefined ? {} : { Environment: { Variables: wanted.environment } }),
    ...(wanted.layers === undefined ? {} : { Layers: wanted.layers }),
  }
  const ready = () => waitUntilReady(client, wanted.name, out, signal)
  const publish = async (config: FunctionConfiguration) =>
    wanted.publish ? client.json<FunctionConfiguration>('POST', `${url}/versions`, { body: {} }) : config
  if (!existing) {
    const guess = guessCode(wanted.path)
    const body = {
      FunctionName: wanted.name,
      Role: DEFAULT_ROLE,
      ...(guess ? { Runtime: guess.runtime, Handler: guess.handler } : {}),
      ...configuration,
      Code: { ZipFile: zip.toString('base64') },
    }
    if (!('Runtime' in body)) {
      throw new UsageError(
        `Nothing in ${wanted.path} tells which runtime it needs: add --runtime and --handler`,
      )
    }
    await client.json('POST', FUNCTIONS, { body })
    return { action: 'created', function: await publish(await ready()) }
  }
  let action: 'updated' | 'unchanged' = 'unchanged'
  if (existing.CodeSha256 !== codeSha256(zip)) {
    await client.json('PUT', `${url}/code`, { body: { ZipFile: zip.toString('base64') } })
    await ready()
    action = 'updated'
  }
  if (Object.keys(configuration).length > 0) {
    await client.json('PUT', `${url}/configuration`, { body: configuration })
    action = 'updated'
  }
  return { action, function: await publish(await ready()) }
}

const number = (text: unknown, flag: string) => {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new UsageError(`${flag} takes a whole number, not ${JSON.stringify(text)}`)
  return value
}

const variables = (pairs: unknown) => {
  if (!Array.isArray(pairs)) return undefined
  return Object.fromEntries(
    pairs.map((pair: string) => {
      const at = pair.indexOf('=')
      if (at < 1) throw new UsageError(`--env takes NAME=VALUE, not ${JSON.stringify(pair)}`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}

export const deployCommand: Command = {
  name: 'deploy',
  usage: '[PATH]',
  summary: 'Creates a function from a directory, a file or a zip, or brings an existing one up to date.',
  positionals: { min: 0, max: 1 },
  options: {
    name: { type: 'string', short: 'n', value: 'NAME', help: "function's name [the directory's]" },
    runtime: {
      type: 'string',
      value: 'ID',
      help: 'runtime, such as nodejs24.x or python3.11 [guessed from the files]',
    },
    handler: { type: 'string', value: 'HANDLER', help: 'handler, such as index.handler [guessed]' },
    role: { type: 'string', value: 'ARN', help: `execution role [${DEFAULT_ROLE}]` },
    memory: { type: 'string', value: 'MIB', help: 'memory [128]' },
    timeout: { type: 'string', value: 'SECONDS', help: 'timeout [3]' },
    env: { type: 'string', short: 'e', multiple: true, value: 'NAME=VALUE', help: 'environment variable' },
    layer: { type: 'string', multiple: true, value: 'ARN', help: 'layer version' },
    publish: { type: 'boolean', help: 'publish a version as well' },
  },
  examples: [
    'lambent deploy',
    'lambent deploy ./src --name orders --runtime python3.11 --handler app.handler',
    'lambent deploy build/function.zip -n resize --runtime nodejs24.x --handler index.handler --memory 512 --timeout 30',
    'lambent deploy . -e STAGE=dev -e DEBUG=1 --json',
  ],
  async run(context) {
    const { positionals, values, out } = context
    const path = resolve(positionals[0] ?? '.')
    const result = await deploy(context, {
      name: (values['name'] as string | undefined) ?? basename(path).replace(/\.[^.]+$/, ''),
      path,
      runtime: values['runtime'] as string | undefined,
      handler: values['handler'] as string | undefined,
      role: values['role'] as string | undefined,
      memoryMiB: number(values['memory'], '--memory'),
      timeoutSeconds: number(values['timeout'], '--timeout'),
      environment: variables(values['env']),
      layers: values['layer'] as string[] | undefined,
      publish: values['publish'] === true,
    })
    if (out.isJson) out.json({ Action: result.action, ...result.function })
    else {
      const config = result.function
      out.line(
        `${config.FunctionName} ${result.action}: ${config.Runtime ?? 'image'}, ${size(config.CodeSize)}, version ${config.Version}`,
      )
      out.note(`Try it: lambent invoke ${config.FunctionName} '{}'`)
    }
    return 0
  },
}
