/** Durable executions in the store: what is read whole, and what is written in one transaction. */
import {
  DURABLE_RUNNING,
  durableEventKey,
  durableEventPrefix,
  durableExpiryKey,
  durableKey,
  durableNameKey,
  durableOldestKey,
  durableOperationKey,
  durableOperationPrefix,
  durableRunningKey,
  DURABLE_EXPIRY,
  expiryOf,
  type ExecutionRef,
} from '#contracts/durable.ts'
import type {
  Draft,
  Execution,
  ExecutionHead,
  HistoryEvent,
  StoredOperation,
} from '#data-plane/durable/execution.ts'
import type { ExecutionKeys } from '#data-plane/durable/execution-keys.ts'
import { nextDue } from '#data-plane/durable/progress.ts'
import type { Json } from '#kernel/json.ts'
import { HOUR_MS } from '#kernel/units.ts'
import type { Meta, MetaWrite } from '#store/port.ts'

const PAGE = 200

/** Somebody else wrote the execution since it was read; nothing was written. */
export class ExecutionChanged extends Error {
  override readonly name = 'ExecutionChanged'
}

export interface Loaded {
  readonly execution: Execution
  /** Revision of the head. */
  readonly rev: number
}

export interface NameEntry {
  readonly ref: ExecutionRef
}

export interface ExecutionStore {
  head(ref: ExecutionRef): Promise<{ readonly head: ExecutionHead; readonly rev: number } | undefined>
  load(ref: ExecutionRef): Promise<Loaded | undefined>
  /** The head and the execution's own operation, with its input and outcome. */
  summary(
    ref: ExecutionRef,
  ): Promise<{ readonly head: ExecutionHead; readonly root: StoredOperation } | undefined>
  /** The execution that has this name, if any. */
  named(where: ExecutionRef['function'], name: string): Promise<ExecutionRef | undefined>
  /**
   * Durable when it resolves. `rev` is the head's revision as it was read, 0 for a new execution. `others`: further
   * executions that must begin in the same transaction. Rejects with `ExecutionChanged`, and when a KMS key can't be used.
   */
  commit(draft: Draft, rev: number, others?: readonly Draft[]): Promise<Loaded>
  running(after: string): Promise<readonly ExecutionRef[]>
  events(head: ExecutionHead, afterId: number, limit: number): Promise<readonly HistoryEvent[]>
  /** Removes executions whose retention has ended, up to a page of them; how many. */
  expire(now: number): Promise<number>
}

const asJson = (doc: object) => doc as unknown as Json

/** `owner`: the node to which executions belong that begin here. */
export function createExecutionStore(meta: Meta, keys: ExecutionKeys, owner?: string): ExecutionStore {
  const writesOf = async (
    draft: Draft,
    rev: number,
  ): Promise<{ readonly head: ExecutionHead; readonly writes: MetaWrite[] }> => {
    if (rev === 0) {
      if (owner !== undefined) draft.head.owner = owner
      const dataKey = await keys.create(draft.head)
      if (dataKey !== undefined) draft.head.dataKey = dataKey
    }
    const seal = await keys.sealOf(draft.head)
    const sealed = (key: string, doc: object): MetaWrite => ({ key, doc: seal.seal(doc, key) })
    const isOver = draft.head.status !== 'RUNNING'
    const head: ExecutionHead = { ...draft.head, dueAt: nextDue(draft) }
    const { id } = head
    const ref = { function: head.function, id }
    const writes: MetaWrite[] = [{ key: durableKey(ref), ifRev: rev, doc: asJson(head) }]
    for (const changed of draft.changed) {
      const operation = draft.operations.get(changed)
      if (operation) writes.push(sealed(durableOperationKey(id, operation.index), operation))
    }
    for (const event of draft.events) writes.push(sealed(durableEventKey(id, event.id), event))
    if (rev === 0) {
      writes.push(
        { key: durableOldestKey(ref), ifRev: 0, doc: {} },
        { key: durableNameKey(ref.function, head.name), ifRev: 0, doc: asJson({ ref }) },
        { key: durableRunningKey(id), doc: asJson(ref) },
      )
    }
    if (isOver && draft.events.some(({ type }) => /^Execution(?!Started)/.test(type))) {
      const expiresAt = (head.endedAt ?? draft.now) + head.settings.retentionDays * 24 * HOUR_MS
      writes.push(
        { key: durableRunningKey(id), doc: null },
        { key: durableExpiryKey(expiresAt, id), doc: asJson({ ref, name: head.name }) },
      )
    }
    return { head, writes }
  }

  const all = async function* (prefix: string) {
    for (let after = ''; ;) {
      const rows = await meta.list(prefix, after, PAGE)
      yield* rows
      const last = rows.at(-1)
      if (!last || rows.length < PAGE) return
      after = last.key
    }
  }

  const remove = async (ref: ExecutionRef, name: string, expiryKey: string) => {
    for (const prefix of [durableOperationPrefix(ref.id), durableEventPrefix(ref.id)]) {
      for (;;) {
        const rows = await meta.list(prefix, '', PAGE)
        if (rows.length === 0) break
        await meta.txn(rows.map(({ key }) => ({ key, doc: null })))
      }
    }
    const keys = [durableKey(ref), durableOldestKey(ref), durableNameKey(ref.function, name), expiryKey]
    await meta.txn(keys.map((key) => ({ key, doc: null })))
  }

  const readHead = async (ref: ExecutionRef) => {
    const row = await meta.get(durableKey(ref))
    return row ? { head: row.doc as unknown as ExecutionHead, rev: row.rev } : undefined
  }

  return {
    head: readHead,
    async load(ref) {
      const found = await readHead(ref)
      if (!found) return undefined
      const seal = await keys.sealOf(found.head)
      const operations = new Map<string, StoredOperation>()
      for await (const { key, doc } of all(durableOperationPrefix(ref.id))) {
        const operation = seal.open(doc, key) as unknown as StoredOperation
        operations.set(operation.id, operation)
      }
      return { execution: { head: found.head, operations }, rev: found.rev }
    },
    async summary(ref) {
      const found = await readHead(ref)
      const row = found && (await meta.get(durableOperationKey(ref.id, 0)))
      if (!found || !row) return undefined
      const seal = await keys.sealOf(found.head)
      return { head: found.head, root: seal.open(row.doc, row.key) as unknown as StoredOperation }
    },
    async named(where, name) {
      const row = await meta.get(durableNameKey(where, name))
      return row ? (row.doc as unknown as NameEntry).ref : undefined
    },
    async commit(draft, rev, others = []) {
      const { head, writes } = await writesOf(draft, rev)
      for (const other of others) writes.push(...(await writesOf(other, 0)).writes)
      const done = await meta.txn(writes)
      if (done === 'conflict') throw new ExecutionChanged(`The execution ${head.id} was changed meanwhile`)
      return { execution: { head, operations: draft.operations }, rev: done.rev }
    },
    async running(after) {
      const rows = await meta.list(DURABLE_RUNNING, after === '' ? '' : durableRunningKey(after), PAGE)
      return rows.map(({ doc }) => doc as unknown as ExecutionRef)
    },
    async events(head, afterId, limit) {
      const { id } = head
      const seal = await keys.sealOf(head)
      const after = afterId === 0 ? '' : durableEventKey(id, afterId)
      const rows = await meta.list(durableEventPrefix(id), after, limit)
      return rows.map(({ key, doc }) => seal.open(doc, key) as unknown as HistoryEvent)
    },
    async expire(now) {
      const rows = await meta.list(DURABLE_EXPIRY, '', PAGE)
      const due = rows.filter(({ key }) => expiryOf(key) <= now)
      for (const { key, doc } of due) {
        const { ref, name } = doc as unknown as { readonly ref: ExecutionRef; readonly name: string }
        await remove(ref, name, key)
      }
      return due.length
    },
  }
}
