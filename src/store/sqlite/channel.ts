/** The main thread's end of the engine's thread: calls in batches, a bound on waiting writes, errors as classes. */
import { Worker } from 'node:worker_threads'

import { MIB } from '#kernel/units.ts'
import type { StoreLogger } from '#store/embedded/logger.ts'
import { StoreBusy } from '#store/port.ts'
import {
  type FromWorker,
  isWrite,
  type Opened,
  type Operation,
  type OperationName,
  type Operations,
  type ToWorker,
} from '#store/sqlite/protocol.ts'
import { fromFailure } from '#store/sqlite/sqlite-errors.ts'

/** Writes that may wait for the disk at a time, and what they may weigh. */
const MAX_WAITING_WRITES = 20_000
const MAX_WAITING_BYTES = 256 * MIB
const MAX_WAITING_READS = 20_000

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
  readonly write: boolean
  readonly weightBytes: number
}

export interface Channel {
  readonly opened: Opened
  /** Rejects with `StoreBusy` when too much waits. A large buffer in `transfer` is handed over, not copied. */
  call<Name extends OperationName>(
    op: Name,
    args: Operations[Name]['args'],
    transfer?: readonly ArrayBuffer[],
  ): Promise<Operations[Name]['result']>
  /** Finishes the calls under way, then ends the thread. */
  close(): Promise<void>
}

/** Characters and bytes that a call keeps in memory while it waits, roughly. */
function weigh(call: Operation): number {
  if (call.op === 'txn') return call.writes.reduce((sum, { text }) => sum + 2 * (text?.length ?? 0), 100)
  if (call.op === 'log') return call.payloads.byteLength + 500 * (call.append.length + call.move.length + 1)
  return 100
}

/** Starts the thread and resolves when the store is open; rejects with what `openSqliteStore` throws. */
export async function openChannel(options: {
  readonly directory: string
  readonly logger?: StoreLogger | undefined
}): Promise<Channel> {
  const entry = new URL(import.meta.resolve('#store/sqlite/sqlite-worker.ts'))
  const worker = new Worker(entry, {
    name: 'store',
    workerData: { directory: options.directory },
    // From source, the thread must resolve `#...` to the same source files; emitted code needs no condition.
    execArgv: entry.pathname.endsWith('.ts') ? ['--conditions=source'] : [],
  })
  const pending = new Map<number, Pending>()
  let nextId = 1
  let waitingWrites = 0
  let waitingBytes = 0
  let outgoing: { id: number; call: Operation }[] = []
  let transfers: ArrayBuffer[] = []
  /** Why no call is taken any more. */
  let ended: Error | undefined
  const closed = Promise.withResolvers<void>()

  const post = (message: ToWorker, transfer: readonly ArrayBuffer[] = []) =>
    worker.postMessage(message, transfer)
  const take = (id: number) => {
    const call = pending.get(id)
    pending.delete(id)
    if (call?.write) {
      waitingWrites--
      waitingBytes -= call.weightBytes
    }
    // An open store alone does not keep the process alive, an unanswered call does.
    // Once it closes its end is waited for.
    if (pending.size === 0 && !ended) worker.unref()
    return call
  }
  const end = (error: Error) => {
    ended ??= error
    for (const id of pending.keys()) take(id)?.reject(error)
  }
  const flush = () => {
    if (outgoing.length === 0) return
    const [calls, transfer] = [outgoing, transfers]
    outgoing = []
    transfers = []
    post({ kind: 'calls', calls }, transfer)
  }

  const opened = await new Promise<Opened>((resolve, reject) => {
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'open') resolve(message.opened)
      else if (message.kind === 'refused') reject(fromFailure(message.failure))
      else if (message.kind === 'replies') {
        for (const reply of message.replies) {
          const call = take(reply.id)
          if ('failure' in reply) call?.reject(fromFailure(reply.failure))
          else call?.resolve(reply.result)
        }
      } else if (message.kind === 'broken') {
        options.logger?.error('The store takes no more work until it is opened again', {
          reason: message.failure.message,
        })
      }
    })
    worker.on('error', (cause) => {
      const error = new Error('The thread of the store failed', { cause })
      if (!ended) options.logger?.error(error.message, { error: cause })
      reject(error)
      end(error)
    })
    worker.on('exit', () => {
      const error = new Error('The thread of the store has ended')
      reject(error)
      end(error)
      closed.resolve()
    })
  })
  worker.unref()

  return {
    opened,
    call<Name extends OperationName>(
      op: Name,
      args: Operations[Name]['args'],
      transfer: readonly ArrayBuffer[] = [],
    ) {
      if (ended) return Promise.reject(ended)
      const call = { op, ...args } as unknown as Operation
      const write = isWrite(op)
      const weightBytes = write ? weigh(call) : 0
      const reads = pending.size - waitingWrites
      const full = write
        ? waitingWrites >= MAX_WAITING_WRITES ||
          (waitingWrites > 0 && waitingBytes + weightBytes > MAX_WAITING_BYTES)
        : reads >= MAX_WAITING_READS
      if (full)
        return Promise.reject(new StoreBusy(`${write ? waitingWrites : reads} calls wait for the store`))
      return new Promise<Operations[Name]['result']>((resolve, reject) => {
        const id = nextId++
        if (pending.size === 0) worker.ref()
        pending.set(id, { resolve: resolve as (result: unknown) => void, reject, write, weightBytes })
        if (write) {
          waitingWrites++
          waitingBytes += weightBytes
        }
        for (const buffer of transfer) transfers.push(buffer)
        // Calls of one turn travel in one message.
        if (outgoing.push({ id, call }) === 1) queueMicrotask(flush)
      })
    },
    close() {
      if (!ended) {
        flush()
        ended = new Error('The store is closed')
        worker.ref()
        post({ kind: 'close' })
      }
      return closed.promise
    },
  }
}
