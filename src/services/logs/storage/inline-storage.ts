import { createLogEngine } from './log-engine.ts'
import { openLogDatabase } from './log-database.ts'
import type { LogOperationName, LogOperations, LogStorage } from './operations.ts'

/** The log database in this thread, in memory. For tests: every operation blocks. */
export function createInlineStorage(): LogStorage {
  const database = openLogDatabase(':memory:')
  const engine = createLogEngine(database)
  let closed = false
  return {
    async call<Name extends LogOperationName>(operation: Name, args: LogOperations[Name]['args']) {
      if (closed) throw new Error('The log database is closed')
      return engine[operation](args)
    },
    async close() {
      if (!closed) database.close()
      closed = true
    },
  }
}
