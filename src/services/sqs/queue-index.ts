/** Every queue's document in memory, kept fresh by the store's change feed: what was just written is known here. */
import type { Scope } from '#contracts/arn.ts'
import { ALL_SQS_QUEUES, parseSqsArn, sqsQueueKey, sqsQueuePrefix, type SqsQueue } from '#contracts/sqs.ts'
import type { Json } from '#kernel/json.ts'
import type { Meta } from '#store/port.ts'

export interface KnownQueue {
  readonly doc: SqsQueue
  readonly rev: number
}

export interface QueueIndex {
  /** Reads everything there is; nothing is found before it resolves. */
  start(): Promise<void>
  stop(): void
  find(where: Scope, name: string): KnownQueue | undefined
  byArn(arn: string): KnownQueue | undefined
  /** In the order of their names. */
  list(where: Scope): readonly SqsQueue[]
  /** Called with a queue that was deleted, or replaced by a new one of its name. */
  onGone(run: (queue: SqsQueue) => void): void
}

const READ = 500

export function createQueueIndex({ meta }: { readonly meta: Meta }): QueueIndex {
  const queues = new Map<string, KnownQueue>()
  const listeners: ((queue: SqsQueue) => void)[] = []
  let stopWatching = () => {}

  const apply = (key: string, rev: number, json: Json | null) => {
    if (!key.startsWith(ALL_SQS_QUEUES)) return
    const before = queues.get(key)
    if (before && before.rev > rev) return
    const doc = json as unknown as SqsQueue | null
    if (doc) queues.set(key, { doc, rev })
    else queues.delete(key)
    if (before && before.doc.number !== doc?.number) for (const run of listeners) run(before.doc)
  }
  const find = (where: Scope, name: string) => queues.get(sqsQueueKey(where, name))

  return {
    async start() {
      const rev = await meta.rev()
      for (let after = ''; ;) {
        const rows = await meta.list(ALL_SQS_QUEUES, after, READ)
        for (const row of rows) apply(row.key, row.rev, row.doc)
        after = rows.at(-1)?.key ?? ''
        if (rows.length < READ) break
      }
      stopWatching = meta.watch(rev, (changes) => {
        for (const { key, rev: at, doc } of changes) apply(key, at, doc)
      })
    },
    stop: () => stopWatching(),
    find,
    byArn(arn) {
      const named = parseSqsArn(arn)
      return named && find(named, named.name)
    },
    list(where) {
      const prefix = sqsQueuePrefix(where)
      return [...queues]
        .filter(([key]) => key.startsWith(prefix))
        .map(([, { doc }]) => doc)
        .toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))
    },
    onGone: (run) => void listeners.push(run),
  }
}
