/** One run of an environment's processes with the APIs that its extensions speak. */
import type { Server } from 'node:net'

import type { ExtensionApi, Telemetry } from '#data-plane/runtime-api/port.ts'
import type { Sandbox } from '#data-plane/sandbox/port.ts'
import type { PlatformFailure } from '#data-plane/worker/error-documents.ts'
import { startExtendedRun } from '#data-plane/worker/extensions/extended-run.ts'
import type { ExternalExtension } from '#data-plane/worker/extensions/external-extensions.ts'
import type { GuestRun } from '#data-plane/worker/guest-run.ts'
import type { EnvironmentLog } from '#data-plane/worker/log/environment-log.ts'
import type { SessionFactories } from '#data-plane/worker/session-factories.ts'
import type { Subject } from '#data-plane/worker/start/stage.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'

/** Variables of the runtime that extensions don't get. Source: developer guide, Extensions API. */
const NOT_FOR_EXTENSIONS = new Set([
  '_HANDLER',
  '_AWS_XRAY_DAEMON_ADDRESS',
  '_AWS_XRAY_DAEMON_PORT',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_XRAY_CONTEXT_MISSING',
  'AWS_XRAY_DAEMON_ADDRESS',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
])

export async function startRunWithExtensions(options: {
  readonly subject: Subject
  readonly host: {
    readonly sessions: Pick<SessionFactories, 'extensionApi'>
    readonly clock: Clock
    readonly random: Random
  }
  readonly sandbox: Sandbox
  readonly external: readonly ExternalExtension[]
  readonly environment: Readonly<Record<string, string>>
  readonly telemetry: Telemetry
  readonly log: EnvironmentLog
  readonly limitMs: number
  /** Where the APIs are served. */
  readonly server: Server
  readonly startRuntime: (api: ExtensionApi) => Promise<GuestRun>
}): Promise<GuestRun | PlatformFailure> {
  const { subject, host, sandbox, external, telemetry, log, limitMs, server } = options
  const { version } = subject
  telemetry.open()
  const api = host.sessions.extensionApi({
    facts: {
      functionName: version.name,
      functionVersion: version.version,
      handler: version.handler ?? '',
      accountId: version.account,
    },
    telemetry,
    random: host.random,
    maxConcurrency: version.managedInstances?.maxConcurrency,
  })
  const env = Object.fromEntries(
    Object.entries(options.environment).filter(([name]) => !NOT_FOR_EXTENSIONS.has(name)),
  )
  return startExtendedRun({
    api,
    telemetry,
    external,
    startExtension: (name) =>
      sandbox.startBeside({
        argv: [`${sandbox.paths.opt}/extensions/${name}`],
        env,
        cwd: '/',
        control: false,
      }),
    startRuntime: () => options.startRuntime(api),
    clear: () => sandbox.clear(),
    stopServing: api.serve(server),
    limitMs,
    concurrent: version.managedInstances !== undefined,
    log,
    clock: host.clock,
  })
}
