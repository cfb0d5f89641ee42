/** The database's schema as a list of migrations: the place in the list is the version that one leads to. */
import type { DatabaseSync } from 'node:sqlite'

import { StoreDamaged, StoreTooNew } from '#store/port.ts'

/** Marks the file as ours ("LMBT"); anything else at its place is left alone. */
export const APPLICATION_ID = 0x4c4d4254

/**
 * Never change one that was released; append. Row ids are kept apart from keys because documents and payloads are
 * large, and a log's id is its row id, so that appends go to the end of the file.
 */
export const MIGRATIONS: readonly string[] = [
  `
  create table state (name text primary key, value integer not null) strict, without rowid;
  insert into state values ('rev', 0);
  create table meta (key text not null unique, rev integer not null, doc text not null) strict;
  create index meta_by_rev on meta (rev);
  create table tombstone (key text not null unique, rev integer not null) strict;
  create index tombstone_by_rev on tombstone (rev);
  create table log (
    id integer primary key,
    queue integer not null,
    visible_at integer not null,
    head text not null,
    payload blob not null
  ) strict;
  create index log_by_queue on log (queue, id);
  create table lease (kind text not null, key text not null, epoch integer not null, primary key (kind, key))
    strict, without rowid;
  `,
]

const pragma = (database: DatabaseSync, name: string) =>
  Number(Object.values(database.prepare(`pragma ${name}`).get() ?? {})[0])

/**
 * Brings the database to the newest schema in one transaction, and returns the version that it had (0: it was empty).
 * Throws `StoreTooNew` for a schema from the future and `StoreDamaged` for somebody else's database.
 */
export function migrate(
  database: DatabaseSync,
  path: string,
  migrations: readonly string[] = MIGRATIONS,
): number {
  const found = pragma(database, 'user_version')
  const owner = pragma(database, 'application_id')
  if (found > migrations.length) {
    throw new StoreTooNew(
      `"${path}" has schema ${found}, this version of the program knows schemas up to ${migrations.length}: ` +
        `run the newer version, or restore a backup that was made before the upgrade`,
    )
  }
  const tables = Number(database.prepare('select count(*) as n from sqlite_schema').get()?.['n'])
  if (owner !== APPLICATION_ID && (owner !== 0 || found !== 0 || tables > 0)) {
    throw new StoreDamaged(`"${path}" is a database of another program: choose another data directory`)
  }
  if (found === migrations.length) return found
  database.exec('begin immediate')
  try {
    for (const sql of migrations.slice(found)) database.exec(sql)
    database.exec(`pragma user_version = ${migrations.length}; pragma application_id = ${APPLICATION_ID}`)
    database.exec('commit')
  } catch (error) {
    if (database.isTransaction) database.exec('rollback')
    throw error
  }
  return found
}
