/** Settings of the program: flags, then environment variables (`LAMBENT_*`), then a configuration file, then defaults. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { readFileSystems, readSubnets } from '#bin/host-mappings.ts'
import { hostsOf } from '#store/postgres/hosts.ts'

type Kind = 'text' | 'number' | 'switch'

interface Setting {
  readonly kind: Kind
  readonly default: string | number | boolean
  /** What it means, for --help. */
  readonly help: string
  /** Placeholder of the value in --help. */
  readonly value?: string
  readonly oneOf?: readonly string[]
  readonly min?: number
  readonly max?: number
}

const SETTINGS = {
  port: {
    kind: 'number',
    default: 4566,
    value: 'N',
    min: 0,
    max: 65_535,
    help: 'port to listen on; 0 takes a free one',
  },
  host: {
    kind: 'text',
    default: '127.0.0.1',
    value: 'ADDRESS',
    help: 'address to listen on; any but loopback needs --auth',
  },
  data: { kind: 'text', default: '.lambent', value: 'DIR', help: 'directory of everything that is kept' },
  store: {
    kind: 'text',
    default: '',
    value: 'URL',
    help: 'PostgreSQL database that keeps everything for several nodes, such as postgres://user@host-a,host-b/name; none: below --data',
  },
  'data-key': {
    kind: 'text',
    default: '',
    value: 'FILE',
    help: 'file with the key that seals secrets, 64 hexadecimal digits, the same on all nodes of a --store; none: secret.key below --data',
  },
  examples: { kind: 'switch', default: true, help: 'deploy the bundled examples on the first start' },
  auth: {
    kind: 'text',
    default: 'off',
    value: 'MODE',
    oneOf: ['off', 'signature', 'iam'],
    help: 'off accepts any credentials (loopback only); signature verifies AWS Signature Version 4; iam also evaluates policies',
  },
  'access-key-id': {
    kind: 'text',
    default: 'test',
    value: 'ID',
    help: "access key of the account's owner, whom no policy of the account limits",
  },
  'secret-access-key': { kind: 'text', default: 'test', value: 'SECRET', help: 'its secret' },
  account: { kind: 'text', default: '000000000000', value: 'ID', help: 'account id, 12 digits' },
  region: { kind: 'text', default: 'us-east-1', value: 'REGION', help: 'region of requests that name none' },
  'function-url': {
    kind: 'text',
    default: '',
    value: 'TEMPLATE',
    help: 'form of function URLs, such as https://{id}.lambda-url.{region}.example.org/; empty: below the host of the request',
  },
  driver: {
    kind: 'text',
    default: 'auto',
    value: 'NAME',
    oneOf: ['auto', 'oci', 'bubblewrap', 'process'],
    help: 'isolation of execution environments; auto takes the strongest that works here',
  },
  criu: {
    kind: 'text',
    default: 'criu',
    value: 'PATH',
    help: 'CRIU 4 or later, for snapshots of functions with SnapStart',
  },
  'oci-runtime': { kind: 'text', default: 'crun', value: 'PATH', help: 'OCI runtime of the oci driver' },
  network: {
    kind: 'text',
    default: 'auto',
    value: 'MODE',
    oneOf: ['auto', 'bridge', 'none', 'host'],
    help: 'network of execution environments, where the driver can choose',
  },
  subnets: {
    kind: 'text',
    default: '',
    value: 'LIST',
    help: 'networks of VPC subnets, such as subnet-1=none,subnet-2=endpoint:vpc-9,subnet-3=internet; without: any subnet, with the internet',
  },
  'file-systems': {
    kind: 'text',
    default: '',
    value: 'LIST',
    help: 'directories that access points of file systems stand for, such as fsap-0123456789abcdef0=/srv/data',
  },
  'max-memory': {
    kind: 'number',
    default: 0,
    value: 'MIB',
    min: 0,
    help: 'memory for all environments; 0: three quarters of the machine',
  },
  'pool-memory': {
    kind: 'number',
    default: 1024,
    value: 'MIB',
    min: 0,
    help: 'memory for runtimes that are booted before a function needs them, for fast cold starts; at most an eighth of --max-memory; 0: none',
  },
  concurrency: {
    kind: 'number',
    default: 1000,
    value: 'N',
    min: 1,
    help: "the account's concurrent executions",
  },
  'api-rates': {
    kind: 'text',
    default: 'off',
    value: 'MODE',
    oneOf: ['off', 'aws'],
    help: 'how fast requests to the Lambda API may come: as fast as they can, or as fast as AWS takes them',
  },
  'idle-minutes': {
    kind: 'number',
    default: 10,
    value: 'N',
    min: 0,
    help: 'minutes after which an idle environment ends',
  },
  'unused-code-seconds': {
    kind: 'number',
    default: 3600,
    value: 'N',
    min: 1,
    help: 'seconds for which packages of code and layers are kept after their last use; more than any deployment takes',
  },
  's3-endpoint': {
    kind: 'text',
    default: '',
    value: 'URL',
    help: 'S3-compatible endpoint that code packages are fetched from',
  },
  's3-region': { kind: 'text', default: 'us-east-1', value: 'REGION', help: 'its region' },
  's3-access-key-id': {
    kind: 'text',
    default: '',
    value: 'ID',
    help: 'access key for it; none: unsigned requests',
  },
  's3-secret-access-key': { kind: 'text', default: '', value: 'SECRET', help: 'its secret' },
  'registry-credentials': {
    kind: 'text',
    default: '',
    value: 'FILE',
    help: "credentials of other container registries, a file as Docker's config.json",
  },
  'sqs-endpoint': {
    kind: 'text',
    default: '',
    value: 'URL',
    help: 'SQS-compatible endpoint with the queues that mappings poll and messages go to; none: our own',
  },
  'sqs-access-key-id': {
    kind: 'text',
    default: '',
    value: 'ID',
    help: 'access key for it; none: unsigned requests',
  },
  'sqs-secret-access-key': { kind: 'text', default: '', value: 'SECRET', help: 'its secret' },
  services: {
    kind: 'text',
    default: '',
    value: 'NAME=URL,...',
    help: 'services that are called elsewhere instead of here, such as sns=https://KEY:SECRET@sns.eu-central-1.amazonaws.com',
  },
  'log-level': {
    kind: 'text',
    default: 'info',
    value: 'LEVEL',
    oneOf: ['debug', 'info', 'warn', 'error'],
    help: "least severe of the program's own log lines that are written to standard error",
  },
} as const satisfies Record<string, Setting>

type Settings = {
  readonly [Name in keyof typeof SETTINGS]: (typeof SETTINGS)[Name]['kind'] extends 'number'
    ? number
    : (typeof SETTINGS)[Name]['kind'] extends 'switch'
      ? boolean
      : string
}

/** A setting that can't be used; the message says which, its value and what is allowed. */
export class BadSetting extends Error {
  override name = 'BadSetting'
}

export type { Settings }

const environmentName = (name: string) => `LAMBENT_${name.toUpperCase().replaceAll('-', '_')}`

function read(name: string, setting: Setting, raw: string | number | boolean, from: string) {
  const refuse = (allowed: string): never => {
    throw new BadSetting(`${from} is ${JSON.stringify(raw)}, but ${allowed}`)
  }
  if (setting.kind === 'switch') {
    if (typeof raw === 'boolean') return raw
    if (raw === 'true' || raw === '1' || raw === 'yes') return true
    if (raw === 'false' || raw === '0' || raw === 'no') return false
    return refuse('it takes true or false')
  }
  if (setting.kind === 'number') {
    const number = typeof raw === 'number' ? raw : Number(String(raw).trim() || Number.NaN)
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = setting
    if (!Number.isInteger(number) || number < min || number > max) {
      refuse(
        max === Number.MAX_SAFE_INTEGER
          ? `it takes a whole number from ${min}`
          : `it takes a whole number from ${min} to ${max}`,
      )
    }
    return number
  }
  const text = String(raw)
  if (setting.oneOf && !setting.oneOf.includes(text)) refuse(`it takes one of ${setting.oneOf.join(', ')}`)
  if (name === 'account' && !/^\d{12}$/.test(text)) refuse('an account id has 12 digits')
  return text
}

function readFile(path: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new BadSetting(`The configuration file ${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new BadSetting(`The configuration file ${path} must hold one JSON object`)
  }
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(SETTINGS, name))
      throw new BadSetting(`The configuration file ${path} has an unknown setting "${name}"`)
  }
  return value as Record<string, unknown>
}

/**
 * Reads all settings. Throws `BadSetting` for an unknown flag, a value out of range or a file that can't be read.
 * Returns undefined when help was asked for.
 */
export function readSettings(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Settings | undefined {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
    config: { type: 'string' },
  }
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    options[name] = { type: setting.kind === 'switch' ? 'boolean' : 'string' }
  }
  let flags: Record<string, string | boolean | undefined>
  try {
    flags = parseArgs({ args: [...argv], options, strict: true, allowNegative: true }).values as typeof flags
  } catch (error) {
    throw new BadSetting((error as Error).message, { cause: error })
  }
  if (flags['help']) return undefined
  const configPath = flags['config'] ?? env['LAMBENT_CONFIG']
  const file = typeof configPath === 'string' ? readFile(configPath) : {}
  const settings: Record<string, string | number | boolean> = {}
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    const fromEnv = env[environmentName(name)]
    const flag = flags[name]
    const inFile = file[name]
    if (flag !== undefined) settings[name] = read(name, setting, flag, `--${name}`)
    else if (fromEnv !== undefined) settings[name] = read(name, setting, fromEnv, environmentName(name))
    else if (inFile !== undefined)
      settings[name] = read(name, setting, inFile as string, `"${name}" in ${String(configPath)}`)
    else settings[name] = setting.default
  }
  checkTogether(settings as Settings)
  return settings as Settings
}

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/

function checkTogether(settings: Settings) {
  const readable = (name: 'subnets' | 'file-systems' | 'store', check: (text: string) => unknown) => {
    try {
      check(settings[name])
    } catch (error) {
      throw new BadSetting(`--${name}: ${(error as Error).message}`, { cause: error })
    }
  }
  readable('subnets', readSubnets)
  readable('file-systems', readFileSystems)
  if (settings.store !== '') readable('store', hostsOf)
  if (settings.auth === 'iam' && settings['secret-access-key'] === 'test') {
    throw new BadSetting(
      'With --auth iam the owner of --access-key-id may do everything, and functions reach this endpoint too: choose a --secret-access-key of your own',
    )
  }
  if (!LOOPBACK.test(settings.host) && settings.auth === 'off') {
    throw new BadSetting(
      `--host ${settings.host} can be reached from other machines, so requests must be signed: add --auth signature with --access-key-id and --secret-access-key`,
    )
  }
  if (!LOOPBACK.test(settings.host) && settings['secret-access-key'] === 'test') {
    throw new BadSetting(
      `--host ${settings.host} can be reached from other machines: choose a --secret-access-key of your own`,
    )
  }
}

/** The text of `lambent up --help`. */
export function settingsHelp(): string {
  const rows = Object.entries<Setting>(SETTINGS).map(([name, setting]) => {
    const flag = setting.kind === 'switch' ? `--no-${name}` : `--${name} ${setting.value}`
    const allowed = setting.oneOf ? ` (${setting.oneOf.join(' | ')})` : ''
    const preset = setting.kind === 'switch' ? '' : ` [${setting.default === '' ? 'none' : setting.default}]`
    return `  ${flag.padEnd(30)} ${setting.kind === 'switch' ? `do not ${setting.help}` : setting.help}${allowed}${preset}`
  })
  return `Usage: lambent up [options]

Starts Lambent: the AWS Lambda API and the execution environments behind it, on this machine.

Options
${rows.join('\n')}
  ${'--config FILE'.padEnd(30)} JSON file with any of these settings
  ${'--help'.padEnd(30)} this text

Each option is also an environment variable (LAMBENT_PORT, LAMBENT_DATA, ...).

Examples
  lambent up
  lambent up --port 9000 --data /var/lib/lambent
  lambent up --host 0.0.0.0 --auth signature --access-key-id me --secret-access-key "$SECRET"
  AWS_ENDPOINT_URL=http://127.0.0.1:4566 aws lambda list-functions
`
}
