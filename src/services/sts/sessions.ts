/** Makes temporary credentials, keeps them sealed, and sweeps them some time after they expired. */
import { LambdaError } from '#contracts/errors.ts'
import { iamRoleKey, roleArn, sessionKey, type IamRole, type IamSession } from '#contracts/iam.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'
import type { Sealer } from '#kernel/sealed.ts'
import { HOUR_MS } from '#kernel/units.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta } from '#store/port.ts'

import { sessionContext, type CredentialIndex } from '../iam/credential-index.ts'
import { put, read, remove } from '../iam/documents.ts'
import { accessKeyId, secretAccessKey, sessionToken } from '../iam/identifiers.ts'
import type { RoleSessions, TemporaryCredentials } from './port.ts'

/** Alive or not yet swept, of all accounts. */
const MAX_SESSIONS = 50_000
/** Expired credentials are told that they expired for this long; afterwards they are unknown. */
const KEEP_EXPIRED_MS = HOUR_MS
const SWEEP_EVERY_MS = 60_000
const SWEEP_AT_ONCE = 200

export type SessionRequest = Omit<IamSession, 'accessKeyId' | 'sealed' | 'issuedAt' | 'expiresAt'> & {
  readonly durationSeconds: number
}

export interface Sessions extends RoleSessions, Component {
  issue(request: SessionRequest): Promise<TemporaryCredentials>
}

const ROLE_ARN = /^arn:aws[a-z-]*:iam::(\d{12}):role\/(?:.*\/)?([\w+=,.@-]+)$/

/** The role with exactly this ARN, in whatever account. */
export async function findRole(meta: Meta, arn: string): Promise<IamRole | undefined> {
  const [, account = '', name = ''] = ROLE_ARN.exec(arn) ?? []
  const found = name === '' ? undefined : await read<IamRole>(meta, iamRoleKey(account, name))
  return found && roleArn(found.doc) === arn ? found.doc : undefined
}

/** Who a session of this role is. */
export const assumedIdentity = (role: IamRole, sessionName: string) => ({
  account: role.account,
  arn: `arn:aws:sts::${role.account}:assumed-role/${role.name}/${sessionName}`,
  userId: `${role.id}:${sessionName}`,
  role: { arn: roleArn(role), name: role.name, sessionName },
})

export function createSessions(deps: {
  readonly meta: Meta
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
  readonly index: CredentialIndex
  readonly logger: Logger
  readonly maxSessions?: number
}): Sessions {
  const { meta, sealer, clock, random, index, logger, maxSessions = MAX_SESSIONS } = deps
  let cancel: (() => void) | undefined
  let stopped = false
  /** Being written: not in the index yet, but counted. */
  let underWay = 0

  const sweep = async () => {
    try {
      for (;;) {
        const gone = index.expired(clock.now() - KEEP_EXPIRED_MS, SWEEP_AT_ONCE)
        if (gone.length === 0 || stopped) break
        await meta.txn(gone.map((id) => remove(sessionKey(id))))
      }
    } catch (error) {
      if (!stopped) logger.warn('Expired credentials could not be removed', { error })
    }
    if (!stopped) cancel = clock.after(SWEEP_EVERY_MS, () => void sweep())
  }

  const issue = async ({ durationSeconds, ...request }: SessionRequest): Promise<TemporaryCredentials> => {
    if (index.sessionCount + underWay >= maxSessions) {
      throw new LambdaError('Throttling', 'Rate exceeded', { status: 400 })
    }
    underWay++
    try {
      const id = accessKeyId(random, 'ASIA', request.account)
      const secret = secretAccessKey(random)
      const token = sessionToken(random)
      const issuedAt = clock.now()
      // Clients are told whole seconds.
      const expiresAt = Math.floor(issuedAt / 1000 + durationSeconds) * 1000
      const sealed = sealer.seal(JSON.stringify({ secret, token }), sessionContext(id))
      const session: IamSession = { ...request, accessKeyId: id, sealed, issuedAt, expiresAt }
      if ((await meta.txn([put(sessionKey(id), session, 0)])) === 'conflict') {
        throw new Error(`The access key id ${id} was drawn twice`)
      }
      return { accessKeyId: id, secretAccessKey: secret, sessionToken: token, expiresAt }
    } finally {
      underWay--
    }
  }

  return {
    issue,
    async assume({ roleArn, sessionName, durationSeconds, sourceFunctionArn }) {
      const role = await findRole(meta, roleArn)
      return (
        role &&
        issue({
          ...assumedIdentity(role, sessionName),
          durationSeconds,
          ...(sourceFunctionArn !== undefined && { sourceFunctionArn }),
        })
      )
    },
    async start() {
      cancel ??= clock.after(SWEEP_EVERY_MS, () => void sweep())
    },
    drain: async () => {},
    async stop() {
      stopped = true
      cancel?.()
    },
  }
}
