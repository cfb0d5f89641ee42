/** What a command of the client is: its words, its help, its work. */
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'

import type { Client } from './client.ts'

/** A wrong call: shown with a hint at --help, exit status 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

export interface Output {
  /** A line of the answer, on standard output. */
  line(text: string): void
  /** A JSON document, on standard output. */
  json(value: unknown): void
  /** Progress and remarks, on standard error; nothing when --json or --quiet was given. */
  note(text: string): void
  /** Bytes of an answer, on standard output. */
  bytes(bytes: Uint8Array): void
  readonly isJson: boolean
}

export interface CommandContext {
  readonly client: Client
  readonly out: Output
  readonly positionals: readonly string[]
  readonly values: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>
  readonly signal: AbortSignal
}

export interface OptionHelp {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  readonly multiple?: boolean
  /** Placeholder of the value. */
  readonly value?: string
  readonly help: string
}

export interface Command {
  readonly name: string
  /** The words after the name, such as `NAME [PAYLOAD]`. */
  readonly usage: string
  readonly summary: string
  readonly options: Readonly<Record<string, OptionHelp>>
  readonly examples: readonly string[]
  readonly positionals: { readonly min: number; readonly max: number }
  /** Returns the exit status. */
  run(context: CommandContext): Promise<number>
}

/** Options of every command. */
export const COMMON_OPTIONS: Readonly<Record<string, OptionHelp>> = {
  endpoint: {
    type: 'string',
    value: 'URL',
    help: 'where Lambent answers [AWS_ENDPOINT_URL or http://127.0.0.1:4566]',
  },
  region: { type: 'string', value: 'REGION', help: 'region [AWS_REGION or us-east-1]' },
  json: { type: 'boolean', help: 'print JSON for machines' },
  help: { type: 'boolean', short: 'h', help: 'this text' },
}

/** Reads the words after the command's name. Throws `UsageError`. */
export function parseCommand(command: Command, argv: readonly string[]) {
  const options: ParseArgsOptionsConfig = {}
  for (const [name, option] of Object.entries({ ...command.options, ...COMMON_OPTIONS })) {
    options[name] = {
      type: option.type,
      ...(option.short ? { short: option.short } : {}),
      ...(option.multiple ? { multiple: true } : {}),
    }
  }
  let parsed
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
  const { min, max } = command.positionals
  const count = parsed.positionals.length
  if (!parsed.values['help'] && (count < min || count > max)) {
    throw new UsageError(`lambent ${command.name} ${command.usage}: ${count} words were given`)
  }
  return parsed
}

/** Text of `lambent COMMAND --help`. */
export function commandHelp(command: Command): string {
  const rows = Object.entries({ ...command.options, ...COMMON_OPTIONS }).map(([name, option]) => {
    const flag = `${option.short ? `-${option.short}, ` : ''}--${name}${option.type === 'string' ? ` ${option.value ?? 'VALUE'}` : ''}`
    return `  ${flag.padEnd(28)} ${option.help}${option.multiple ? ' (may be repeated)' : ''}`
  })
  return `Usage: lambent ${command.name} ${command.usage}

${command.summary}

Options
${rows.join('\n')}

Examples
${command.examples.map((example) => `  ${example}`).join('\n')}
`
}
