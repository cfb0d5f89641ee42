/** The client `lambent`: one command a file, each speaking HTTP to a running Lambent. */
import { readFileSync } from 'node:fs'

import { ApiError, createClient, Unreachable } from './client.ts'
import { commandHelp, parseCommand, UsageError, type Command, type Output } from './command.ts'
import { completionCommand } from './commands/completion.ts'
import { deleteCommand } from './commands/delete.ts'
import { deployCommand } from './commands/deploy.ts'
import { invokeCommand } from './commands/invoke.ts'
import { listCommand } from './commands/list.ts'
import { logsCommand } from './commands/logs.ts'
import { topCommand } from './commands/top.ts'
import { signerFromEnvironment } from './sign.ts'

/** Commands that the launcher starts itself, because they are the program and not its client. */
const PROGRAMS = {
  up: 'Start Lambent on this machine',
  doctor: 'Say what this machine can isolate and enforce, and what is missing',
  runtime: 'List runtimes and add one',
}

const COMMANDS: readonly Command[] = [
  deployCommand,
  invokeCommand,
  logsCommand,
  listCommand,
  topCommand,
  deleteCommand,
  completionCommand(() => COMMANDS, Object.keys(PROGRAMS)),
]

const help = () => `Usage: lambent COMMAND

The AWS Lambda that anyone can own.

Commands
${[
  ...Object.entries(PROGRAMS),
  ...COMMANDS.map(({ name, summary }) => [name, summary.replace(/\.$/, '')] as const),
]
  .map(([name, summary]) => `  ${name.padEnd(12)} ${summary}`)
  .join('\n')}

Examples
  lambent up
  lambent deploy ./my-function
  lambent invoke my-function '{"name": "Ada"}' --log
  lambent logs my-function -f

lambent COMMAND --help tells more.
`

function output(isJson: boolean): Output {
  return {
    isJson,
    line: (text) => void process.stdout.write(`${text}\n`),
    json: (value) => void process.stdout.write(`${JSON.stringify(value)}\n`),
    note: (text) => void (isJson || process.stderr.write(`${text}\n`)),
    bytes: (bytes) => void process.stdout.write(bytes),
  }
}

/** The released version, from package.json; the file lies one level higher beside emitted code. */
function packageVersion(): string {
  for (const relative of ['../package.json', '../../package.json']) {
    try {
      const found = JSON.parse(readFileSync(new URL(relative, import.meta.url), 'utf8')) as {
        name?: string
        version: string
      }
      if (found.name === 'lambent') return found.version
    } catch {
      // Look one level higher.
    }
  }
  return 'unknown'
}

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(help())
    return 0
  }
  if (name === '--version' || name === 'version') {
    process.stdout.write(`${packageVersion()}\n`)
    return 0
  }
  const command = COMMANDS.find((candidate) => candidate.name === name)
  if (!command) {
    process.stderr.write(`There is no command "${name}". lambent --help lists them.\n`)
    return 2
  }
  const wantsJson = rest.includes('--json')
  try {
    const { values, positionals } = parseCommand(command, rest)
    if (values['help']) {
      process.stdout.write(commandHelp(command))
      return 0
    }
    const interrupted = new AbortController()
    process.once('SIGINT', () => {
      interrupted.abort()
      // A second Ctrl-C, or a wait that does not listen, ends at once.
      process.once('SIGINT', () => process.exit(130))
    })
    const region = String(
      values['region'] ?? process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'] ?? 'us-east-1',
    )
    const endpoint = String(values['endpoint'] ?? process.env['AWS_ENDPOINT_URL'] ?? 'http://127.0.0.1:4566')
    if (!URL.canParse(endpoint)) throw new UsageError(`The endpoint is no URL: ${endpoint}`)
    return await command.run({
      client: createClient({ endpoint, region, sign: signerFromEnvironment(process.env, region) }),
      out: output(wantsJson),
      positionals,
      values,
      signal: interrupted.signal,
    })
  } catch (error) {
    return report(error, wantsJson, command)
  }
}

function report(error: unknown, wantsJson: boolean, command: Command): number {
  const { message } = error as Error
  const code = error instanceof ApiError ? error.code : (error as Error).name
  if (wantsJson) process.stderr.write(`${JSON.stringify({ error: code, message })}\n`)
  else if (error instanceof ApiError) process.stderr.write(`${error.code}: ${message}\n`)
  else process.stderr.write(`${message}\n`)
  if (error instanceof UsageError) {
    if (!wantsJson) process.stderr.write(`lambent ${command.name} --help shows how.\n`)
    return 2
  }
  if (!(error instanceof ApiError || error instanceof Unreachable) && process.env['LAMBENT_DEBUG']) {
    process.stderr.write(`${(error as Error).stack}\n`)
  }
  return 1
}

// Nothing to write to any more (`lambent list | head`): that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
process.exitCode = await main(process.argv.slice(2))
