/** The database's schema as a list of migrations: the place in the list is the version that one leads to. */
import type { ClientBase } from 'pg'

import { StoreTooNew } from '#store/port.ts'

/** Held while the schema is looked at or changed, so that nodes that start together don't do it twice ("LMBT"). */
const LOCK = 0x4c4d4254
/** For other nodes to finish theirs. */
const LOCK_TIMEOUT_MS = 60_000

/**
 * Never change one that was released; append, and only what the version before can live with: during an upgrade nodes of
 * both run. Keys sort bytewise (collation "C"). Documents are text, since jsonb can't hold every JSON text.
 */
export const MIGRATIONS: readonly string[] = [
  `
  create table state (name text primary key, value bigint not null);
  insert into state values ('rev', 0);
  create table meta (key text collate "C" primary key, rev bigint not null, doc text not null);
  create index meta_by_rev on meta (rev);
  create table tombstone (key text collate "C" primary key, rev bigint not null);
  create index tombstone_by_rev on tombstone (rev);
  -- The last group of transactions of each node with its revisions, for one that has lost the answer.
  create table writer (id text primary key, last bigint not null, revs bigint[] not null, at timestamptz not null);

  create table log (
    id bigint primary key,
    queue int not null,
    visible_at bigint not null,
    head text not null,
    payload bytea not null
  ) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
  -- Compressing costs more than it saves, and the length is known without reading it.
  alter table log alter column payload set storage external;
  create index log_by_queue on log (queue, id);

  create table lease (
    kind text collate "C" not null,
    key text collate "C" not null,
    epoch bigint not null default 0,
    expires timestamptz not null default '-infinity',
    primary key (kind, key)
  ) with (fillfactor = 50);

  create table node (id text primary key, address text not null, info text not null, at timestamptz not null)
    with (fillfactor = 50);

  -- Bytes under way, and those of deleted blobs that somebody may still read.
  create table upload (
    id bigint generated always as identity primary key,
    sha256 text not null,
    at timestamptz not null,
    is_deleted boolean not null default false
  );
  create index upload_by_digest on upload (sha256);
  create table blob (
    sha256 text collate "C" primary key,
    upload bigint not null,
    size_bytes bigint not null,
    put_at double precision not null
  );
  create index blob_by_upload on blob (upload);
  create table blob_chunk (upload bigint not null, n int not null, bytes bytea not null, primary key (upload, n));
  alter table blob_chunk alter column bytes set storage external;

  -- Applies transactions of documents, each of them whole or not at all; answers with a revision for each, 0 for a
  -- conflict. The lock on the counter is held to the end of the commit, so that revisions have no gaps and become
  -- visible in their order.
  create function apply_transactions(
    writer_id text, group_number bigint, txns int[], keys text[], if_revs bigint[], docs text[]
  ) returns bigint[] language plpgsql as $function$
  declare
    current bigint;
    before bigint;
    revs bigint[] := '{}';
    earlier writer%rowtype;
    first int := 1;
    last int;
    holds boolean;
  begin
    select value into current from state where name = 'rev' for update;
    select * into earlier from writer where id = writer_id;
    if found and earlier.last = group_number then
      return earlier.revs;
    end if;
    before := current;
    while first <= cardinality(txns) loop
      last := first;
      while last < cardinality(txns) and txns[last + 1] = txns[first] loop
        last := last + 1;
      end loop;
      holds := not exists (
        select 1 from generate_series(first, last) at left join meta on meta.key = keys[at]
        where if_revs[at] >= 0 and coalesce(meta.rev, 0) <> if_revs[at]
      );
      if holds then
        current := current + 1;
        for at in first..last loop
          if docs[at] is not null then
            insert into meta values (keys[at], current, docs[at])
              on conflict (key) do update set rev = excluded.rev, doc = excluded.doc;
            delete from tombstone where key = keys[at];
          else
            delete from meta where key = keys[at];
            if found then
              insert into tombstone values (keys[at], current)
                on conflict (key) do update set rev = excluded.rev;
            end if;
          end if;
        end loop;
        revs := revs || current;
      else
        revs := revs || 0::bigint;
      end if;
      first := last + 1;
    end loop;
    if current > before then
      update state set value = current where name = 'rev';
      insert into writer values (writer_id, group_number, revs, now())
        on conflict (id) do update set last = excluded.last, revs = excluded.revs, at = excluded.at;
      perform pg_notify(current_schema() || '_meta', current::text);
    end if;
    return revs;
  end
  $function$;
  `,
]

/**
 * Brings the schema to the newest version in one transaction, and returns the version that it had (0: there was none).
 * Throws `StoreTooNew` for a schema from the future.
 */
export async function migrate(
  client: ClientBase,
  schema: string,
  migrations: readonly string[] = MIGRATIONS,
): Promise<number> {
  await client.query('begin')
  try {
    await client.query(`set local lock_timeout to ${LOCK_TIMEOUT_MS}; set local statement_timeout to 0`)
    await client.query('select pg_advisory_xact_lock($1, hashtext($2))', [LOCK, schema])
    const there = await client.query('select 1 from pg_namespace where nspname = $1', [schema])
    if (there.rows.length === 0) await client.query(`create schema "${schema}"`)
    await client.query('create table if not exists version (version int not null)')
    const { rows } = await client.query<{ version: number }>('select version from version')
    const found = rows[0]?.version ?? 0
    if (found > migrations.length) {
      throw new StoreTooNew(
        `The database has schema ${found}, this version of the program knows schemas up to ${migrations.length}: ` +
          `run the newer version, or restore a backup that was made before the upgrade`,
      )
    }
    if (found < migrations.length) {
      for (const sql of migrations.slice(found)) await client.query(sql)
      if (rows.length === 0) await client.query('insert into version values ($1)', [migrations.length])
      else await client.query('update version set version = $1', [migrations.length])
    }
    await client.query('commit')
    return found
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  }
}
