/** Lets an alias with provisioned concurrency arrive at its new version once the data plane says that it is ready. */
import { aliasKey, ALL_PROVISIONED_STATES, functionKey } from '#contracts/keys.ts'
import type { ProvisionedConcurrencyState } from '#contracts/provisioned-concurrency.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta } from '#store/port.ts'

import type { Committer } from '../commit.ts'
import { asJson, docOf, walk, type Documents } from '../documents.ts'
import { isVersionNumber } from '../functions/names.ts'
import { arrivedAlias } from './moving-alias.ts'

export function createAliasMoves(options: {
  readonly meta: Meta
  readonly documents: Documents
  readonly committer: Committer
  readonly random: Random
  readonly logger: Logger
}): Component {
  const { meta, documents, committer, random, logger } = options
  const underWay = new Set<Promise<void>>()
  let stopFeed = () => {}

  const arrive = (state: ProvisionedConcurrencyState) => {
    const { account, region, name, qualifier } = state
    const id = { account, region, name }
    const revisionId = random.uuid()
    return committer.run(functionKey(id), async () => {
      const alias = await documents.alias(id, qualifier)
      const config = await documents.provisionedConcurrency(id, qualifier)
      const isThere =
        alias?.doc.moving && alias.doc.version === state.version && config?.doc.token === state.token
      if (!isThere) return { writes: [], result: undefined }
      return {
        writes: [
          {
            key: aliasKey(id, qualifier),
            ifRev: alias.rev,
            doc: asJson(arrivedAlias(alias.doc, revisionId)),
          },
        ],
        result: undefined,
      }
    })
  }

  const note = (state: ProvisionedConcurrencyState | null) => {
    if (state?.status !== 'READY' || isVersionNumber(state.qualifier)) return
    const work = arrive(state)
      .catch((error: unknown) => {
        logger.error('An alias did not arrive at its version', {
          function: state.name,
          alias: state.qualifier,
          error: String(error),
        })
      })
      .finally(() => underWay.delete(work))
    underWay.add(work)
  }

  return {
    async start() {
      // The revision is read first: a change made meanwhile is seen twice, which does no harm.
      const rev = await meta.rev()
      for await (const row of walk(meta, ALL_PROVISIONED_STATES)) note(docOf(row))
      stopFeed = meta.watch(rev, (changes) => {
        for (const { key, doc } of changes) {
          if (key.startsWith(ALL_PROVISIONED_STATES))
            note(doc as unknown as ProvisionedConcurrencyState | null)
        }
      })
    },
    async drain() {
      await Promise.all(underWay)
    },
    async stop() {
      stopFeed()
      await Promise.all(underWay)
    },
  }
}
