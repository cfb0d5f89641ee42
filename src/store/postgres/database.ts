/** The way to PostgreSQL: bounded pools, the server of several that takes writes, deadlines, and other attempts. */
import { Client, type ClientBase, type ClientConfig, Pool, type PoolClient, type QueryConfig } from 'pg'

import { type Clock, sleep } from '#kernel/clock.ts'
import { createSemaphore } from '#kernel/semaphore.ts'
import type { StoreLogger } from '#store/embedded/logger.ts'
import { StoreBusy } from '#store/port.ts'
import { hostsOf, withoutPassword } from '#store/postgres/hosts.ts'
import { isAway, isRepeatable, storeAway } from '#store/postgres/postgres-errors.ts'

/** A restart or a prompt failover passes unnoticed; what takes longer is told to the caller. */
const DEADLINE_MS = 5_000
const CONNECT_TIMEOUT_MS = 2_000
/** The server's own bound, in case that nobody is left to hang up. It does not cover the wait for a standby. */
const STATEMENT_TIMEOUT_MS = 10_000
const CONNECTIONS = 6
const MAX_WAITING = 5_000
/** For callers once it is known to be away: one attempt, and nobody waits in vain. */
const DEADLINE_WHILE_DOWN_MS = 250
const FIRST_BACKOFF_MS = 25
const LAST_BACKOFF_MS = 500

/** Values of the types that our statements select; the client library knows answers as text only. */
const TYPES = {
  getTypeParser: (oid: number) => (value: string) => {
    if (oid === 20) return BigInt(value)
    if (oid === 23 || oid === 701) return Number(value)
    if (oid === 16) return value === 't'
    if (oid === 17) return Buffer.from(value.slice(2), 'hex')
    return value
  },
}

export type Row = Readonly<Record<string, unknown>>

export interface Statement {
  readonly text: string
  readonly values?: readonly unknown[]
  /** Prepared once for each connection under this name. */
  readonly name?: string
}

export interface Database {
  /**
   * Runs one statement, which is its own transaction. While no server can do it, it is tried again until the deadline:
   * a statement must do no harm when an earlier attempt of it has happened after all, and `onRetry` is called before
   * each further one. Rejects with `StoreAway` when the deadline is over, and then nobody knows whether it happened;
   * with `StoreBusy` when too much waits.
   */
  query(statement: Statement, onRetry?: () => void): Promise<readonly Row[]>
  /** A connection of its own outside the pool, for LISTEN. The caller ends it. */
  connect(): Promise<Client>
  /** Finishes what is under way. */
  close(): Promise<void>
}

export function createDatabase(options: {
  readonly url: string
  readonly schema: string
  readonly clock: Clock
  readonly logger?: StoreLogger | undefined
  readonly deadlineMs?: number
}): Database {
  const { url, schema, clock, logger, deadlineMs = DEADLINE_MS } = options
  const hosts = hostsOf(url)
  const closing = new AbortController()
  /** The pool would take a wait for a free connection for a server that does not answer. */
  const places = createSemaphore({ places: CONNECTIONS, maxWaiting: MAX_WAITING })
  let current = 0
  /** Since when (monotonic). */
  let downSince: number | undefined

  /** Connections on which a commit was acknowledged without the standby that it had to wait for. */
  const unreplicated = new WeakSet<ClientBase>()
  const session = `set search_path to "${schema}"; set statement_timeout to ${STATEMENT_TIMEOUT_MS};
    set idle_in_transaction_session_timeout to ${STATEMENT_TIMEOUT_MS};
    set jit to off; set plan_cache_mode to force_generic_plan;
    set enable_seqscan to off; set enable_hashjoin to off; set enable_mergejoin to off`
  /** Refuses a standby, so that whoever asked for a connection tries the next server. */
  const prepare = async (client: ClientBase) => {
    const answer = await client.query('select pg_is_in_recovery() as standby')
    if ((answer.rows[0] as Row)['standby'] === true) {
      throw Object.assign(new Error('the server is a standby'), { code: '25006' })
    }
    await client.query(session)
    client.on('notice', ({ message }) => {
      // The server calls it a success and warns.
      if (message?.includes('wait for synchronous replication')) unreplicated.add(client)
    })
  }
  const configOf = (connectionString: string): ClientConfig => ({
    connectionString,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'lambent',
  })
  const pools = hosts.map((host) => {
    const pool = new Pool({
      ...configOf(host),
      // One more for ending statements that hang.
      max: CONNECTIONS + 1,
      idleTimeoutMillis: 60_000,
      async verify(client, done) {
        done(
          await prepare(client).then(
            () => undefined,
            (error: Error) => error,
          ),
        )
      },
    })
    // A connection that breaks is told to its query; one that nobody uses is replaced by the next.
    pool.on('error', () => {})
    pool.on('connect', (client) => client.on('error', () => {}))
    return pool
  })

  const note = (down: boolean, error?: unknown) => {
    if (down === (downSince !== undefined)) return
    downSince = down ? clock.monotonic() : undefined
    if (!down) logger?.info('The database is there again')
    else if (!closing.signal.aborted) {
      logger?.error('The database is away', { url: withoutPassword(url), error })
    }
  }
  /**
   * Ends a statement that hangs. Merely cut off it would wait on at the server, for a lock or for a standby, and hold
   * one of its connections each time.
   */
  const terminate = (pool: Pool, client: ClientBase) => {
    const { processID } = client as unknown as { readonly processID: number | null }
    if (processID === null || closing.signal.aborted) return
    pool.query('select pg_terminate_backend($1)', [processID]).catch(() => {})
  }
  const placeBefore = async (deadline: number) => {
    const late = new AbortController()
    const cancel = clock.after(deadline - clock.monotonic(), () => late.abort())
    try {
      return await places.acquire(late.signal)
    } catch (cause) {
      throw new StoreBusy(`${places.waiting} statements wait for the database`, { cause })
    } finally {
      cancel()
    }
  }
  const attempt = async (statement: Statement, leftMs: number): Promise<readonly Row[]> => {
    const pool = pools[current]
    if (!pool) throw new Error('There is no server')
    const late = Promise.withResolvers<never>()
    late.promise.catch(() => {})
    let isLate = false
    const cancel = clock.after(leftMs, () => {
      isLate = true
      late.reject(storeAway('no answer in time'))
    })
    const connecting = pool.connect()
    let client: PoolClient
    try {
      client = await Promise.race([connecting, late.promise])
    } catch (error) {
      cancel()
      // It may come when nobody waits for it any more.
      if (isLate) connecting.then((unused) => unused.release()).catch(() => {})
      throw error
    }
    try {
      const query = { ...statement, values: [...(statement.values ?? [])], types: TYPES }
      const { rows } = await Promise.race([client.query(query as QueryConfig), late.promise])
      if (unreplicated.has(client)) throw storeAway('the wait for the standby was cancelled')
      client.release()
      return rows as Row[]
    } catch (error) {
      client.release(isAway(error))
      if (isLate) terminate(pool, client)
      throw error
    } finally {
      cancel()
    }
  }

  return {
    async query(statement, onRetry) {
      const isKnown = downSince !== undefined && clock.monotonic() - downSince > deadlineMs
      const deadline = clock.monotonic() + (isKnown ? DEADLINE_WHILE_DOWN_MS : deadlineMs)
      const release = await placeBefore(deadline)
      try {
        for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(2 * backoffMs, LAST_BACKOFF_MS)) {
          try {
            const rows = await attempt(statement, Math.max(1, deadline - clock.monotonic()))
            note(false)
            return rows
          } catch (error) {
            const away = isAway(error)
            if (!away && !isRepeatable(error)) throw error
            if (away) {
              note(true, error)
              current = (current + 1) % hosts.length
            }
            if (deadline - clock.monotonic() <= backoffMs || closing.signal.aborted) throw storeAway(error)
          }
          await sleep(clock, backoffMs)
          onRetry?.()
        }
      } finally {
        release()
      }
    },
    async connect() {
      const client = new Client(configOf(hosts[current] ?? ''))
      client.on('error', () => {})
      try {
        await client.connect()
        await prepare(client)
        return client
      } catch (error) {
        await client.end().catch(() => {})
        throw error
      }
    },
    async close() {
      closing.abort()
      await Promise.all(pools.map((pool) => pool.end()))
    },
  }
}
