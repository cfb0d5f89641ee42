/** Documents in PostgreSQL: groups of transactions that share a commit, and one reader of changes for all watchers. */
import { type Clock, sleep } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import { createChangeFeed } from '#store/embedded/change-feed.ts'
import { prefixEnd } from '#store/embedded/keys.ts'
import type { StoreLogger } from '#store/embedded/logger.ts'
import { type SerialWrite, serialiseWrites } from '#store/embedded/meta-writes.ts'
import { type Meta, type MetaChange, type MetaRow, StoreBusy } from '#store/port.ts'
import type { Database, Row } from '#store/postgres/database.ts'
import { listenForChanges } from '#store/postgres/listen.ts'
import { storeAway } from '#store/postgres/postgres-errors.ts'

/** Rows of one page of the change feed, unless one transaction has more. */
const PAGE_ROWS = 1000
/** Bounds of one group, and of what waits. */
const MAX_GROUP_WRITES = 2000
const MAX_GROUP_LENGTH = 4_000_000
const MAX_WAITING = 10_000
const MAX_WAITING_LENGTH = 64_000_000
/** Notifications are hints; this is what can be relied on. */
const POLL_MS = 1_000
const REACH_DEADLINE_MS = 5_000

interface Waiting {
  readonly writes: readonly SerialWrite[]
  readonly length: number
  readonly resolve: (answer: { readonly rev: number } | 'conflict') => void
  readonly reject: (error: unknown) => void
}

const changeOf = (row: Row): MetaChange => ({
  key: row['key'] as string,
  rev: Number(row['rev']),
  doc: row['doc'] === null ? null : (JSON.parse(row['doc'] as string) as Json),
})
const rowOf = (row: Row): MetaRow => changeOf(row) as MetaRow

/** A page of changes, and a row without a key for the revision that it covers everything up to. */
const CHANGES = `
  with upto as (select coalesce(
    (select rev from (
      select rev from meta where rev > $1 union all select rev from tombstone where rev > $1
    ) revs order by rev offset ${PAGE_ROWS - 1} limit 1),
    (select value from state where name = 'rev')
  ) as rev)
  select null as key, rev, null as doc from upto
  union all select key, rev, doc from meta where rev > $1 and rev <= (select rev from upto)
  union all select key, rev, null from tombstone where rev > $1 and rev <= (select rev from upto)
  order by rev`

export async function createPostgresMeta(options: {
  readonly database: Database
  readonly schema: string
  /** Of this process alone: tells its groups of transactions from those of others. */
  readonly writerId: string
  readonly clock: Clock
  readonly logger: StoreLogger | undefined
}): Promise<Meta & { stop(): Promise<void> }> {
  const { database, clock, logger, writerId } = options
  const stopping = new AbortController()
  const waiting: Waiting[] = []
  let waitingLength = 0
  let running: Promise<void> | undefined
  let groupNumber = 0
  /** Told to the watchers. */
  let delivered = 0
  let following: Promise<void> | undefined
  let askedAgain = false

  const currentRev = async () => {
    const [row] = await database.query({
      name: 'rev',
      text: `select value from state where name = 'rev'`,
    })
    return Number(row?.['value'] ?? 0)
  }
  const readAfter = async (rev: number) => {
    // Of one statement, which sees one moment: a revision that it sees has all those before it.
    const rows = await database.query({ name: 'changes', text: CHANGES, values: [rev] })
    const mark = rows.find((row) => row['key'] === null)
    return {
      changes: rows.filter((row) => row !== mark).map(changeOf),
      upTo: Math.max(rev, Number(mark?.['rev'] ?? rev)),
    }
  }
  const readPatiently = async (rev: number) => {
    for (;;) {
      try {
        return await readAfter(rev)
      } catch (error) {
        if (stopping.signal.aborted) throw error
        logger?.warn('The change feed could not be read and is tried again', { error })
        await sleep(clock, POLL_MS, stopping.signal)
      }
    }
  }
  delivered = await currentRev()
  const feed = createChangeFeed({ rev: delivered, readAfter: readPatiently, logger })

  /** Tells the watchers of everything up to `upTo`, one transaction after the other. */
  const publish = (changes: readonly MetaChange[], upTo: number) => {
    const late: Promise<void>[] = []
    for (let at = 0; at < changes.length;) {
      const { rev } = changes[at] ?? { rev: upTo }
      let end = at
      while (changes[end]?.rev === rev) end++
      const whole = changes.slice(at, end)
      late.push(feed.publish(rev, () => whole))
      at = end
    }
    if (upTo > (changes.at(-1)?.rev ?? delivered)) late.push(feed.publish(upTo, () => []))
    delivered = upTo
    return Promise.all(late)
  }
  const follow = async () => {
    do {
      askedAgain = false
      const page = await readAfter(delivered)
      if (page.upTo > delivered) {
        void publish(page.changes, page.upTo)
        // Perhaps only the first page of them.
        askedAgain = true
      }
    } while (askedAgain && !stopping.signal.aborted)
  }
  /** Reads on; whoever asks while it reads is served by another round. */
  const pull = () => {
    if (following) askedAgain = true
    following ??= follow()
      .catch(() => {
        // The database is away, which its client says once.
      })
      .finally(() => {
        following = undefined
      })
    return following
  }
  /** Resolves when every watcher has been told of everything up to `rev`. */
  const reach = async (rev: number) => {
    const deadline = clock.monotonic() + REACH_DEADLINE_MS
    while (delivered < rev) {
      await pull()
      if (delivered >= rev || stopping.signal.aborted) break
      if (clock.monotonic() > deadline) throw storeAway('changes could not be read in time')
      await sleep(clock, 20)
    }
    // Those that still read stored changes are told by their own reading.
    await feed.publish(delivered, () => [])
  }

  const poll = async () => {
    while (!stopping.signal.aborted) {
      await sleep(clock, POLL_MS, stopping.signal)
      try {
        const rev = await currentRev()
        if (rev > delivered) await pull()
        else if (rev < delivered) {
          logger?.error('The database has gone back in time: acknowledged changes are lost', {
            found: rev,
            seen: delivered,
          })
        }
      } catch {
        // The database is away, which its client says once.
      }
    }
  }
  void poll().catch(() => {})
  const stopListening = listenForChanges({
    database,
    channel: `${options.schema}_meta`,
    clock,
    onNotice: () => void pull(),
  })

  const takeGroup = () => {
    let [count, writes, length] = [0, 0, 0]
    for (const item of waiting) {
      const isFull = writes + item.writes.length > MAX_GROUP_WRITES || length + item.length > MAX_GROUP_LENGTH
      if (count > 0 && isFull) break
      count++
      writes += item.writes.length
      length += item.length
    }
    waitingLength -= length
    return waiting.splice(0, count)
  }
  const commit = async (group: readonly Waiting[]) => {
    const flat = group.flatMap(({ writes }, txn) => writes.map((write) => ({ txn, ...write })))
    try {
      const [row] = await database.query({
        name: 'transactions',
        text: 'select array_to_json(apply_transactions($1, $2, $3, $4, $5, $6))::text as revs',
        values: [
          writerId,
          ++groupNumber,
          flat.map(({ txn }) => txn),
          flat.map(({ key }) => key),
          flat.map(({ ifRev }) => ifRev ?? -1),
          flat.map(({ text }) => text),
        ],
      })
      const revs = JSON.parse(row?.['revs'] as string) as readonly number[]
      const newest = Math.max(...revs)
      if (newest > 0) await reach(newest)
      for (const [n, { resolve }] of group.entries()) {
        const rev = revs[n] ?? 0
        resolve(rev > 0 ? { rev } : 'conflict')
      }
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
  const run = async () => {
    await Promise.resolve()
    while (waiting.length > 0) await commit(takeGroup())
    running = undefined
  }

  return {
    async get(key) {
      const [row] = await database.query({
        name: 'get',
        text: 'select key, rev, doc from meta where key = $1',
        values: [key],
      })
      return row ? rowOf(row) : null
    },
    async list(prefix, after, limit) {
      const end = prefixEnd(prefix)
      const rows = await database.query({
        name: end === undefined ? 'list' : 'list-prefix',
        text: `select key, rev, doc from meta where key >= $1 and key > $2
          ${end === undefined ? '' : 'and key < $4'} order by key limit $3`,
        values: [prefix, after, Math.max(0, limit), ...(end === undefined ? [] : [end])],
      })
      return rows.map(rowOf)
    },
    async txn(requested) {
      const writes = serialiseWrites(requested)
      if (writes.length === 0) return { rev: await currentRev() }
      const length = writes.reduce((sum, { key, text }) => sum + key.length + (text?.length ?? 0), 100)
      if (
        waiting.length >= MAX_WAITING ||
        (waitingLength > 0 && waitingLength + length > MAX_WAITING_LENGTH)
      ) {
        throw new StoreBusy(`${waiting.length} transactions wait for the database`)
      }
      return new Promise((resolve, reject) => {
        waiting.push({ writes, length, resolve, reject })
        waitingLength += length
        running ??= run()
      })
    },
    watch: feed.watch,
    async rev() {
      const rev = await currentRev()
      await reach(rev)
      return rev
    },
    async stop() {
      while (running) await running
      feed.stop()
      stopping.abort(new Error('The store is closed'))
      await stopListening()
      await following
    },
  }
}
