/** The embedded engine: SQLite in a thread of its own, blobs as files, one process per data directory. */
import type { Clock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import { createChangeFeed } from '#store/embedded/change-feed.ts'
import { guardClosed } from '#store/embedded/guard-closed.ts'
import { createEmbeddedLeases, type EmbeddedLeases } from '#store/embedded/leases.ts'
import { checkLogCommit } from '#store/embedded/log-commit.ts'
import type { StoreLogger } from '#store/embedded/logger.ts'
import { changesOf, serialiseWrites } from '#store/embedded/meta-writes.ts'
import { createEmbeddedNodes } from '#store/embedded/nodes.ts'
import type { Meta, MetaRow, QueueLog, Store } from '#store/port.ts'
import { type Channel, openChannel } from '#store/sqlite/channel.ts'
import { openFileBlobs } from '#store/sqlite/file-blobs.ts'
import type { TextRow } from '#store/sqlite/protocol.ts'

const parseRow = ({ key, rev, text }: TextRow): MetaRow => ({
  key,
  rev,
  doc: text === null ? null : (JSON.parse(text) as Json),
})

function createSqliteMeta(channel: Channel, logger: StoreLogger | undefined): Meta & { stop(): void } {
  const feed = createChangeFeed({
    rev: channel.opened.rev,
    async readAfter(after) {
      const { rows, upTo } = await channel.call('changes', { after })
      return { changes: rows.map(parseRow), upTo }
    },
    logger,
  })
  return {
    async get(key) {
      const row = await channel.call('get', { key })
      return row && parseRow(row)
    },
    list: async (prefix, after, limit) =>
      (await channel.call('list', { prefix, after, limit })).map(parseRow),
    async txn(requested) {
      const writes = serialiseWrites(requested)
      const answer = await channel.call('txn', { writes })
      if (answer === 'conflict') return answer
      const { rev, skipped } = answer
      if (writes.length === 0) return { rev }
      // Answers arrive in the order of the revisions, and nothing is awaited in between.
      await feed.publish(rev, () =>
        changesOf(rev, skipped.length === 0 ? writes : writes.filter(({ key }) => !skipped.includes(key))),
      )
      return { rev }
    },
    watch: feed.watch,
    rev: () => channel.call('rev', {}),
    stop: feed.stop,
  }
}

function createSqliteLog(channel: Channel, holds: EmbeddedLeases['holds']): QueueLog {
  return {
    async commit(batch) {
      checkLogCommit(batch)
      // One exact copy for all payloads: a view would drag its whole buffer along, and the caller keeps its bytes.
      const payloads = new Uint8Array(batch.append.reduce((sum, { payload }) => sum + payload.byteLength, 0))
      let offset = 0
      const append = batch.append.map(({ id, queue, visibleAt, head, payload }) => {
        payloads.set(payload, offset)
        offset += payload.byteLength
        return { id, queue, visibleAt, head, payloadBytes: payload.byteLength }
      })
      const lapsed = batch.fences.filter(({ queue, epoch }) => !holds(queue, epoch)).map(({ queue }) => queue)
      const { fences, remove, move } = batch
      return channel.call('log', { fences, lapsed, append, payloads, remove, move }, [payloads.buffer])
    },
    size: (queue) => channel.call('size', { queue }),
    load: (queue, afterId, limit, maxBytes = Number.POSITIVE_INFINITY) =>
      channel.call('load', { queue, afterId, limit, maxBytes }),
  }
}

/**
 * Opens or creates the store in `directory`. Rejects with `StoreLocked` when another process has it, `StoreDamaged`
 * when its data cannot be read, and `StoreTooNew` when a newer version of the program wrote it.
 */
export async function openSqliteStore(options: {
  readonly directory: string
  readonly clock: Clock
  readonly logger?: StoreLogger
}): Promise<Store> {
  const { directory, clock, logger } = options
  const channel = await openChannel({ directory, logger })
  const { schema, foundSchema } = channel.opened
  if (foundSchema > 0 && foundSchema < schema) {
    logger?.info('The store was migrated', { directory, fromSchema: foundSchema, toSchema: schema })
  }
  const { settled, ...blobs } = await openFileBlobs({ directory, clock }).catch(async (error: unknown) => {
    await channel.close()
    throw error
  })
  const { stop, ...meta } = createSqliteMeta(channel, logger)
  const { holds, ...leases } = createEmbeddedLeases({
    clock,
    stored: channel.opened.leases,
    save: async (rows) => {
      await channel.call('leases', { rows })
    },
  })
  let closing: Promise<void> | undefined
  const guard = <Port extends object>(port: Port) => guardClosed(port, () => closing !== undefined)
  return {
    meta: guard(meta),
    queueLog: guard(createSqliteLog(channel, holds)),
    leases: guard(leases),
    nodes: guard(createEmbeddedNodes({ clock })),
    blobs: guard(blobs),
    close() {
      closing ??= (async () => {
        await settled()
        await channel.close()
        stop()
      })()
      return closing
    },
  }
}
