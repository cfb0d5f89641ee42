/** Opens the database file with the settings that durability rests on, after looking for damage. */
import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

import { MIB } from '#kernel/units.ts'
import { StoreTooNew } from '#store/port.ts'
import { migrate, MIGRATIONS } from '#store/sqlite/schema.ts'
import { damagedDatabase, isDamage } from '#store/sqlite/sqlite-errors.ts'

/** The check reads the whole file; a larger one is checked page by page as it is used. */
const MAX_CHECKED_BYTES = 512 * MIB
/** About 16 MiB of log between two checkpoints. */
const CHECKPOINT_PAGES = 4000

function checkDamage(database: DatabaseSync, path: string): void {
  if (statSync(path).size > MAX_CHECKED_BYTES) return
  const verdict = Object.values(database.prepare('pragma quick_check(1)').get() ?? {})[0]
  if (verdict !== 'ok') throw damagedDatabase(path, verdict)
}

/** Throws `StoreDamaged` or `StoreTooNew`; the file is then as it was. */
export function openDatabase(path: string): {
  readonly database: DatabaseSync
  readonly foundSchema: number
} {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    checkDamage(database, path)
    database.exec(`
      pragma auto_vacuum = incremental;
      pragma journal_mode = wal;
      pragma synchronous = full;
      pragma fullfsync = on;
      pragma checkpoint_fullfsync = on;
      pragma wal_autocheckpoint = ${CHECKPOINT_PAGES};
      pragma journal_size_limit = ${64 * MIB};
      pragma temp_store = memory;
      pragma cache_size = -16384;
    `)
    const foundSchema = migrate(database, path, MIGRATIONS)
    // Gives the space of a backlog that was worked off back to the disk.
    database.exec('pragma incremental_vacuum')
    return { database, foundSchema }
  } catch (error) {
    database.close()
    if (isDamage(error) && !(error instanceof StoreTooNew)) throw damagedDatabase(path, error)
    throw error
  }
}
