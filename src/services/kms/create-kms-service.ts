/** KMS: symmetric keys of an account and region, their material sealed at rest. */
import { ALL_KMS_KEYS, kmsAliasPrefix, kmsKeyKey, type KmsAlias, type KmsKey } from '#contracts/kms.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'
import type { Sealer } from '#kernel/sealed.ts'
import { HOUR_MS } from '#kernel/units.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandlers } from '#wire/service.ts'

import { docOf, remove } from '../iam/documents.ts'
import { allRows } from '../iam/paging.ts'
import { createAliasOperations } from './alias-operations.ts'
import { createCryptoOperations } from './crypto-operations.ts'
import { createKeyOperations } from './key-operations.ts'
import { createKeyStore, isGone } from './key-store.ts'
import type { KeyService } from './port.ts'

const SWEEP_EVERY_MS = HOUR_MS
const READ = 200

export interface KmsService extends Component {
  /** For the model `kms`. */
  readonly handlers: OperationHandlers
  readonly keys: KeyService
}

export function createKmsService(deps: {
  readonly meta: Meta
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}): KmsService {
  const { meta, clock, logger } = deps
  const keys = createKeyStore(deps)
  const crypto = createCryptoOperations({ keys })
  let cancel: (() => void) | undefined
  let stopped = false

  /** Deletes keys whose time has come, each with its aliases. */
  const sweep = async () => {
    for (let after = ''; !stopped;) {
      const rows = await meta.list(ALL_KMS_KEYS, after, READ)
      for (const row of rows) {
        const key = docOf<KmsKey>(row)
        if (!isGone(key, clock.now())) continue
        const aliases = await allRows(meta, kmsAliasPrefix(key))
        const own = aliases.filter((alias) => docOf<KmsAlias>(alias).keyId === key.id)
        await meta.txn([
          remove(kmsKeyKey(key, key.id), row.rev),
          ...own.map((alias) => remove(alias.key, alias.rev)),
        ])
      }
      after = rows.at(-1)?.key ?? ''
      if (rows.length < READ) return
    }
  }
  const sweepSoon = () => {
    cancel = clock.after(SWEEP_EVERY_MS, () => {
      sweep().then(sweepSoon, (error: unknown) => {
        if (stopped) return
        logger.warn('Keys that were to be deleted could not be', { error })
        sweepSoon()
      })
    })
  }

  return {
    handlers: {
      ...createKeyOperations({ meta, keys, clock }),
      ...createAliasOperations({ meta, keys, clock }),
      ...crypto.handlers,
    },
    keys: crypto.service,
    async start() {
      if (!cancel) sweepSoon()
    },
    drain: async () => {},
    async stop() {
      stopped = true
      cancel?.()
    },
  }
}
