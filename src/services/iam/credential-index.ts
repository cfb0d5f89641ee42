/**
 * Access keys and temporary credentials in memory, so that the door finds them without waiting. Filled from the store
 * and kept fresh by its change feed: a key that was just made, changed or deleted is known before its maker hears of it.
 */
import { ACCESS_KEYS, SESSIONS, type AccessKey, type IamSession, type SessionSecret } from '#contracts/iam.ts'
import type { Json } from '#kernel/json.ts'
import type { Sealer } from '#kernel/sealed.ts'
import type { Meta } from '#store/port.ts'

import { secretContext } from './access-key-operations.ts'
import { follow } from './follow.ts'

/** What an access key opens, in the form the door's verifier takes. */
export interface OpenedKey {
  readonly secret: string
  readonly account: string
  readonly arn: string
  /** `AIDA...`, `AROA...:SESSION`, or the account's number. */
  readonly userId: string
  readonly sessionToken?: string
  readonly expiresAt?: number
  /** Temporary credentials only. */
  readonly session?: IamSession
}

export interface CredentialIndex {
  /** Reads everything there is; `find` knows nothing before it resolves. */
  start(): Promise<void>
  stop(): void
  /** Undefined for keys that do not exist or are inactive. Expired credentials are still found, until they are swept. */
  find(accessKeyId: string): OpenedKey | undefined
  /** Temporary credentials, expired ones included. */
  readonly sessionCount: number
  /** Access key ids of credentials that had expired at this time, at most `limit`. */
  expired(beforeMs: number, limit: number): readonly string[]
}

export const sessionContext = (accessKeyId: string) => `iam-session/${accessKeyId}`

interface Entry {
  readonly rev: number
  readonly key: AccessKey | undefined
  readonly session: IamSession | undefined
  /** Opened when it is first asked for: a start does not pay for thousands of seals. */
  opened: OpenedKey | undefined
}

export function createCredentialIndex(deps: {
  readonly meta: Meta
  readonly sealer: Sealer
}): CredentialIndex {
  const { meta, sealer } = deps
  const entries = new Map<string, Entry>()
  let sessions = 0
  let stopWatching: (() => void) | undefined

  const apply = (storeKey: string, rev: number, doc: Json | null) => {
    const isKey = storeKey.startsWith(ACCESS_KEYS)
    if (!isKey && !storeKey.startsWith(SESSIONS)) return
    const id = storeKey.slice((isKey ? ACCESS_KEYS : SESSIONS).length)
    const before = entries.get(id)
    if (before && before.rev > rev) return
    if (before?.session) sessions--
    if (doc === null) {
      entries.delete(id)
      return
    }
    if (!isKey) sessions++
    entries.set(id, {
      rev,
      key: isKey ? (doc as unknown as AccessKey) : undefined,
      session: isKey ? undefined : (doc as unknown as IamSession),
      opened: undefined,
    })
  }

  const open = ({ key, session }: Entry): OpenedKey | undefined => {
    if (key) {
      const { account, userArn: arn, userId } = key
      return { secret: sealer.open(key.sealedSecret, secretContext(key.id)), account, arn, userId }
    }
    if (!session) return undefined
    const { accessKeyId, account, arn, userId, expiresAt } = session
    const { secret, token } = JSON.parse(
      sealer.open(session.sealed, sessionContext(accessKeyId)),
    ) as SessionSecret
    return { secret, account, arn, userId, sessionToken: token, expiresAt, session }
  }

  return {
    async start() {
      if (stopWatching) return
      stopWatching = await follow(meta, [ACCESS_KEYS, SESSIONS], apply)
    },
    stop() {
      stopWatching?.()
      stopWatching = undefined
      entries.clear()
      sessions = 0
    },
    find(accessKeyId) {
      const entry = entries.get(accessKeyId)
      if (!entry || entry.key?.status === 'Inactive') return undefined
      return (entry.opened ??= open(entry))
    },
    get sessionCount() {
      return sessions
    },
    expired(beforeMs, limit) {
      const found: string[] = []
      for (const [id, { session }] of entries) {
        if (found.length >= limit) break
        if (session && session.expiresAt < beforeMs) found.push(id)
      }
      return found
    },
  }
}
