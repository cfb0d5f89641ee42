/** The log database's operations. Synchronous: they run in a thread of their own, or in tests in place. */
import { createGroupStore } from './group-store.ts'
import { createEventReader } from './event-reader.ts'
import { createEventWriter } from './event-writer.ts'
import type { LogDatabase } from './log-database.ts'
import type { LogEngine } from './operations.ts'
import { createStreamStore } from './stream-store.ts'
import { createSweeper } from './sweeper.ts'

export function createLogEngine(database: LogDatabase): LogEngine {
  const groups = createGroupStore(database)
  const streams = createStreamStore(database)
  const writer = createEventWriter(database, groups, streams)
  return {
    createGroup: (args) => groups.create(args) !== undefined,
    getGroup: groups.get,
    updateGroup: ({ key, change }) => groups.update(key, change),
    deleteGroup: groups.remove,
    listGroups: groups.list,
    createStream({ group, name, createdAt }) {
      const id = groups.idOf(group)
      if (id === undefined) return 'no-group'
      return streams.create(id, name, createdAt) === undefined ? 'exists' : 'created'
    },
    deleteStream({ group, name }) {
      const id = groups.idOf(group)
      if (id === undefined) return 'no-group'
      return streams.remove(id, name) ? 'deleted' : 'no-stream'
    },
    listStreams({ group, ...query }) {
      const id = groups.idOf(group)
      return id === undefined ? undefined : streams.list(id, query)
    },
    putEvents: writer.put,
    append: writer.append,
    readEvents: createEventReader(database, groups, streams),
    sweep: createSweeper(database),
  }
}
