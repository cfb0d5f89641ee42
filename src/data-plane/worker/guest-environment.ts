/** The environment variables of a guest: AWS's, then the customer's, then those that nobody may override. */
import type { FunctionVersion } from '#contracts/function.ts'
import type { RuntimeDescription } from '#contracts/runtime.ts'
import type { GuestPaths } from '#data-plane/sandbox/port.ts'

/** Temporary credentials of a function's execution role. */
export interface GuestCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
}

/** Where clients ask for them instead. */
export interface CredentialsAddress {
  readonly uri: string
  readonly token: string
}

/** What a customer cannot set, whether we have a value for it or not. Source: Lambda developer guide. */
const RESERVED = `
  _HANDLER _X_AMZN_TRACE_ID AWS_REGION AWS_DEFAULT_REGION AWS_EXECUTION_ENV
  AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_VERSION
  AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME
  AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
  AWS_LAMBDA_RUNTIME_API AWS_LAMBDA_MAX_CONCURRENCY LAMBDA_TASK_ROOT LAMBDA_RUNTIME_DIR`
  .trim()
  .split(/\s+/)

/** AWS's address of the X-Ray daemon; nothing listens there yet, and clients send to it without waiting. */
const XRAY = { address: '169.254.100.1', port: '2000' }

export function guestEnvironment(options: {
  readonly version: FunctionVersion
  readonly runtime: RuntimeDescription | undefined
  readonly initializationType: string
  readonly paths: GuestPaths
  /** Variables that an image brings; undefined for a function that has none. */
  readonly image?: readonly (readonly [name: string, value: string])[] | undefined
  readonly logStream: string
  /** The customer's variables, opened. */
  readonly variables: Readonly<Record<string, string>>
  readonly credentials: GuestCredentials | CredentialsAddress
  /** Where AWS clients in the guest find us. Undefined: the guest has no way to us. */
  readonly endpointUrl: string | undefined
  /** `host:port` of the Runtime API, for runtimes that speak HTTP. */
  readonly runtimeApi: string | undefined
}): Readonly<Record<string, string>> {
  const { version, runtime, paths, credentials } = options
  const { format, applicationLevel } = version.logging
  const env: Record<string, string> = {
    ...(options.image ? imageDefaults(options.image) : defaults(runtime, paths)),
    ...(options.endpointUrl !== undefined && { AWS_ENDPOINT_URL: options.endpointUrl }),
    ...options.variables,
  }
  for (const name of RESERVED) delete env[name]
  return Object.assign(env, {
    _HANDLER: version.handler ?? '',
    AWS_REGION: version.region,
    AWS_DEFAULT_REGION: version.region,
    ...(runtime?.executionEnv !== undefined && { AWS_EXECUTION_ENV: runtime.executionEnv }),
    AWS_LAMBDA_FUNCTION_NAME: version.name,
    AWS_LAMBDA_FUNCTION_VERSION: version.version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(version.memoryMiB),
    AWS_LAMBDA_LOG_GROUP_NAME: version.logging.group,
    AWS_LAMBDA_LOG_STREAM_NAME: options.logStream,
    AWS_LAMBDA_INITIALIZATION_TYPE: options.initializationType,
    ...(format === 'JSON' && {
      AWS_LAMBDA_LOG_FORMAT: 'JSON',
      AWS_LAMBDA_LOG_LEVEL: applicationLevel ?? 'INFO',
    }),
    ...('uri' in credentials
      ? {
          AWS_CONTAINER_CREDENTIALS_FULL_URI: credentials.uri,
          AWS_CONTAINER_AUTHORIZATION_TOKEN: credentials.token,
        }
      : {
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          AWS_SESSION_TOKEN: credentials.sessionToken,
        }),
    LAMBDA_TASK_ROOT: paths.task,
    LAMBDA_RUNTIME_DIR: paths.runtime,
    ...(version.managedInstances && {
      AWS_LAMBDA_MAX_CONCURRENCY: String(version.managedInstances.maxConcurrency),
    }),
    ...(options.runtimeApi !== undefined && { AWS_LAMBDA_RUNTIME_API: options.runtimeApi }),
  })
}

/** Of a runtime that boots before it has a function: nothing of anybody's. All of it is set again by the function. */
export const bootEnvironment = (
  runtime: RuntimeDescription,
  paths: GuestPaths,
): Readonly<Record<string, string>> => ({
  ...defaults(runtime, paths),
  LAMBDA_TASK_ROOT: paths.task,
  LAMBDA_RUNTIME_DIR: paths.runtime,
})

/** What Docker gives a process whose image names none (and AWS too: recorded). */
const IMAGE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

const TRACING = {
  AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
  AWS_XRAY_DAEMON_ADDRESS: `${XRAY.address}:${XRAY.port}`,
  _AWS_XRAY_DAEMON_ADDRESS: XRAY.address,
  _AWS_XRAY_DAEMON_PORT: XRAY.port,
} as const

/** In an image AWS sets nothing that belongs to a runtime: neither language nor time zone nor library path (recorded). */
const imageDefaults = (image: readonly (readonly [name: string, value: string])[]) => ({
  PATH: IMAGE_PATH,
  ...Object.fromEntries(image),
  ...TRACING,
})

/** What AWS sets and a customer may change. Values recorded from AWS, with the directories where this guest has them. */
function defaults(runtime: RuntimeDescription | undefined, paths: GuestPaths): Record<string, string> {
  const { task, opt, lang } = paths
  const client = paths.runtime
  const modules = `${opt}/nodejs`
  return {
    PATH: `${lang}/bin:/usr/local/bin:/usr/bin/:/bin:${opt}/bin`,
    LD_LIBRARY_PATH: `${lang}/lib:/lib64:/usr/lib64:${client}:${client}/lib:${task}:${task}/lib:${opt}/lib`,
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PWD: task,
    SHLVL: '0',
    ...TRACING,
    ...(runtime?.family === 'python' && { PYTHONPATH: client }),
    ...(runtime?.family === 'nodejs' && {
      NODE_PATH: `${modules}/node${runtime.release}/node_modules:${modules}/node_modules:${client}/node_modules:${client}:${task}`,
    }),
    // A driver that cannot mount gives each guest a directory of its own instead of /tmp.
    ...(paths.tmp !== '/tmp' && { TMPDIR: paths.tmp }),
  }
}
