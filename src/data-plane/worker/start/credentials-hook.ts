import type { FunctionVersion } from '#contracts/function.ts'
import type { Sandbox } from '#data-plane/sandbox/port.ts'
import type { CredentialsAddress, GuestCredentials } from '#data-plane/worker/guest-environment.ts'
import type { SessionFactories } from '#data-plane/worker/session-factories.ts'
import type { Subject, Undo } from '#data-plane/worker/start/stage.ts'
import type { Clock } from '#kernel/clock.ts'

/** AWS's own. */
const PORT = 9001

/**
 * Credentials that a kept function asks for when it needs them. The token is the same in all that come from one snapshot,
 * whose memory it may be in already. Undefined where the guest has no loopback of its own.
 */
export async function credentialsHook(
  { version, snapshot }: Subject,
  host: {
    readonly sessions: Pick<SessionFactories, 'credentials'>
    readonly credentials: (version: FunctionVersion) => GuestCredentials | Promise<GuestCredentials>
    readonly clock: Clock
  },
  sandbox: Sandbox,
  undo: Undo,
): Promise<CredentialsAddress | undefined> {
  if (!snapshot || !sandbox.listenOnLoopback) return undefined
  const server = await sandbox.listenOnLoopback(PORT)
  const token = snapshot.owner
  const stop = host.sessions.credentials({
    server,
    token,
    now: () => host.clock.now(),
    current: async () => host.credentials(version),
  })
  undo.defer(() => {
    stop()
    server.close()
  })
  return { uri: `http://127.0.0.1:${PORT}/2021-04-23/credentials`, token }
}

/** Variables that are those of an environment, not of its function. */
const OF_ENVIRONMENT = new Set([
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_ENDPOINT_URL',
])

export const changedByRestore = (env: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(env).filter(([name]) => OF_ENVIRONMENT.has(name)))
