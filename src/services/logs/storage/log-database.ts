/** Opens the database file of the logs. */
import { DatabaseSync, type StatementSync } from 'node:sqlite'

import { MIB } from '#kernel/units.ts'

const SCHEMA_VERSION = 1

/**
 * Events are kept in the order of their arrival; the two indexes hold them in the order in which they are read (SQLite
 * appends `sequence`, the row id, to both). Rows of deleted groups and streams stay until they are swept, so that their
 * ids must not be used again (autoincrement).
 */
const SCHEMA = `
  create table log_group (
    id integer primary key autoincrement,
    account text not null,
    region text not null,
    name text not null,
    created_at integer not null,
    class text not null,
    retention_days integer,
    kms_key_id text,
    deletion_protected integer not null,
    tags text not null,
    stored_bytes integer not null default 0,
    unique (account, region, name)
  ) strict;
  create table log_stream (
    id integer primary key autoincrement,
    group_id integer not null,
    name text not null,
    created_at integer not null,
    first_event_at integer,
    last_event_at integer,
    last_ingested_at integer,
    unique (group_id, name)
  ) strict;
  create index log_stream_by_last_event on log_stream (group_id, coalesce(last_event_at, 0), name);
  create table event (
    sequence integer primary key,
    group_id integer not null,
    stream_id integer not null,
    timestamp integer not null,
    ingested_at integer not null,
    message text not null
  ) strict;
  create index event_by_group on event (group_id, timestamp);
  create index event_by_stream on event (stream_id, timestamp);
  create table trash (
    kind text not null,
    id integer not null,
    primary key (kind, id)
  ) strict, without rowid;
`

export interface LogDatabase {
  /** The statement for this text, prepared once. Never iterate over one twice at the same time. */
  sql(text: string): StatementSync
  /** All of it or nothing. */
  transaction<T>(run: () => T): T
  close(): void
}

/**
 * `path` may be `:memory:`. Throws when the file is damaged or was written by a newer version; it is never replaced.
 * Logs are no acknowledged work: a power cut may take the last moments (synchronous=NORMAL), never the file.
 */
export function openLogDatabase(path: string): LogDatabase {
  let database: DatabaseSync
  try {
    database = new DatabaseSync(path)
    database.exec(`
      pragma journal_mode = wal;
      pragma synchronous = normal;
      pragma journal_size_limit = ${64 * MIB};
      pragma temp_store = memory;
      pragma cache_size = -32768;
      pragma busy_timeout = 2000;
    `)
    const found = Number(database.prepare('pragma user_version').get()?.['user_version'] ?? 0)
    if (found > SCHEMA_VERSION)
      throw new Error(`its schema ${found} is newer than this program's ${SCHEMA_VERSION}`)
    if (found === 0) database.exec(`begin; ${SCHEMA} pragma user_version = ${SCHEMA_VERSION}; commit;`)
  } catch (cause) {
    throw new Error(
      `The log database "${path}" cannot be opened: ${cause instanceof Error ? cause.message : String(cause)}. Move it away to start with empty logs`,
      { cause },
    )
  }
  const statements = new Map<string, StatementSync>()
  return {
    sql(text) {
      let statement = statements.get(text)
      if (!statement) {
        statement = database.prepare(text)
        statements.set(text, statement)
      }
      return statement
    },
    transaction(run) {
      database.exec('begin immediate')
      try {
        const result = run()
        database.exec('commit')
        return result
      } catch (error) {
        if (database.isTransaction) database.exec('rollback')
        throw error
      }
    },
    close: () => database.close(),
  }
}
