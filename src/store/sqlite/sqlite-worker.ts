/** Entry of the engine's thread: no fsync of the store ever stops the thread that serves requests. */
import { parentPort, workerData } from 'node:worker_threads'

import { takeDataDirectory } from '#store/sqlite/data-directory.ts'
import { openDatabase } from '#store/sqlite/database.ts'
import { createEngine, type Engine, type Outcome } from '#store/sqlite/engine.ts'
import {
  type Failure,
  type FromWorker,
  isWrite,
  type Operation,
  type Reply,
  type StoredEntry,
  type ToWorker,
} from '#store/sqlite/protocol.ts'
import { damagedDatabase, isDamage, isFatal, toFailure } from '#store/sqlite/sqlite-errors.ts'

const port = parentPort
if (!port) throw new Error('This file runs in a worker thread only')
const send = (message: FromWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

/** Serves an opened engine until it is told to close. */
function serve(engine: Engine, path: string, close: () => void): void {
  let waiting: { readonly id: number; readonly call: Operation }[] = []
  let broken: Failure | undefined

  const failureOf = (error: unknown): Failure => {
    const failure = toFailure(isDamage(error) ? damagedDatabase(path, error) : error)
    if (isFatal(error) && !broken) {
      broken = failure
      send({ kind: 'broken', failure })
    }
    return failure
  }
  const answer = (id: number, outcome: Outcome): Reply =>
    'error' in outcome ? { id, failure: failureOf(outcome.error) } : { id, result: outcome.result }

  /** Everything that arrived during one turn shares one transaction. */
  const commitWaiting = () => {
    const group = waiting
    waiting = []
    let replies: readonly Reply[]
    try {
      if (broken) throw new Error(broken.message)
      const outcomes = engine.commit(group.map(({ call }) => call))
      replies = group.map(({ id }, n) => answer(id, outcomes[n] ?? { error: new Error('No outcome') }))
    } catch (error) {
      const failure = broken ?? failureOf(error)
      replies = group.map(({ id }) => ({ id, failure }))
    }
    send({ kind: 'replies', replies })
  }
  const read = (id: number, call: Operation, transfer: ArrayBuffer[]): Reply => {
    if (broken) return { id, failure: broken }
    try {
      const result = engine.read(call)
      if (call.op === 'load') {
        for (const { payload } of result as readonly StoredEntry[])
          transfer.push(payload.buffer as ArrayBuffer)
      }
      return { id, result }
    } catch (error) {
      return { id, failure: failureOf(error) }
    }
  }
  port?.on('message', (message: ToWorker) => {
    if (message.kind === 'close') {
      if (waiting.length > 0) commitWaiting()
      close()
      send({ kind: 'closed' })
      port.close()
      return
    }
    const replies: Reply[] = []
    const transfer: ArrayBuffer[] = []
    for (const { id, call } of message.calls) {
      if (isWrite(call.op)) {
        if (waiting.push({ id, call }) === 1) setImmediate(() => waiting.length > 0 && commitWaiting())
      } else replies.push(read(id, call, transfer))
    }
    if (replies.length > 0) send({ kind: 'replies', replies }, transfer)
  })
}

try {
  const { directory } = workerData as { readonly directory: string }
  const files = takeDataDirectory(directory)
  try {
    const { database, foundSchema } = openDatabase(files.databasePath)
    files.markCreated()
    const engine = createEngine(database)
    const schema = Number(Object.values(database.prepare('pragma user_version').get() ?? {})[0])
    serve(engine, files.databasePath, () => {
      database.close()
      files.unlock()
    })
    send({ kind: 'open', opened: { rev: engine.rev, leases: engine.leases(), schema, foundSchema } })
  } catch (error) {
    files.unlock()
    throw error
  }
} catch (error) {
  send({ kind: 'refused', failure: toFailure(error) })
}
