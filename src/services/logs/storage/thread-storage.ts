import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

import { LambdaError } from '#contracts/errors.ts'

import type { LogOperationName, LogOperations, LogStorage } from './operations.ts'

export type Request =
  | {
      readonly kind: 'call'
      readonly id: number
      readonly operation: LogOperationName
      readonly args: unknown
    }
  | { readonly kind: 'close' }
export type Reply =
  | { readonly kind: 'open' }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string }

/** Calls that wait for the thread; a client beyond them is told to come back. */
const MAX_WAITING = 2000

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** Opens the log database at `path` in a thread of its own. Rejects with a clear message when it cannot be opened. */
export async function openThreadStorage(path: string): Promise<LogStorage> {
  const entry = new URL(import.meta.resolve('#services/logs/storage/logs-worker.ts'))
  const worker = new Worker(entry, {
    name: 'logs',
    workerData: { path },
    // From source, the thread must resolve `#...` to the same source files; emitted code needs no condition.
    execArgv: entry.pathname.endsWith('.ts') ? ['--conditions=source'] : [],
  })
  const pending = new Map<number, Pending>()
  let nextId = 1
  let ended: Error | undefined
  const end = (error: Error) => {
    ended ??= error
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
  }
  const settle = (id: number): Pending | undefined => {
    const call = pending.get(id)
    pending.delete(id)
    // An open database alone does not keep the process alive, an unanswered call does.
    if (pending.size === 0) worker.unref()
    return call
  }

  await new Promise<void>((resolve, reject) => {
    worker.on('message', (reply: Reply) => {
      if (reply.kind === 'open') resolve()
      else if (reply.kind === 'refused') reject(new Error(reply.message))
      else if (reply.kind === 'failure') {
        settle(reply.id)?.reject(new Error(`The log database failed: ${reply.message}`))
      } else settle(reply.id)?.resolve(reply.result)
    })
    const fail = (error: Error) => {
      end(error)
      reject(error)
    }
    worker.on('error', fail)
    worker.on('exit', () => fail(new Error('The thread of the log database has ended')))
  })
  worker.unref()

  return {
    call<Name extends LogOperationName>(operation: Name, args: LogOperations[Name]['args']) {
      if (ended) return Promise.reject(ended)
      if (pending.size >= MAX_WAITING) {
        return Promise.reject(
          new LambdaError('ServiceUnavailableException', 'The service cannot complete the request.', {
            status: 503,
          }),
        )
      }
      const id = nextId++
      worker.ref()
      const request: Request = { kind: 'call', id, operation, args }
      worker.postMessage(request, [])
      return new Promise<LogOperations[Name]['result']>((resolve, reject) => {
        pending.set(id, { resolve: (result) => resolve(result as LogOperations[Name]['result']), reject })
      })
    },
    async close() {
      if (ended) return
      ended = new Error('The log database is closed')
      const exited = once(worker, 'exit')
      worker.ref()
      const request: Request = { kind: 'close' }
      worker.postMessage(request, [])
      await exited
    },
  }
}
