/** Entry of the thread that owns the log database. */
import { parentPort, workerData } from 'node:worker_threads'

import { createLogEngine } from './log-engine.ts'
import { openLogDatabase } from './log-database.ts'
import type { LogOperationName, LogOperations } from './operations.ts'
import type { Reply, Request } from './thread-storage.ts'

const port = parentPort
if (!port) throw new Error('This file runs in a worker thread only')
const send = (reply: Reply) => port.postMessage(reply)

try {
  const database = openLogDatabase(String((workerData as { readonly path: string }).path))
  const engine = createLogEngine(database)
  const run = <Name extends LogOperationName>(operation: Name, args: LogOperations[Name]['args']) =>
    engine[operation](args)
  port.on('message', (request: Request) => {
    if (request.kind === 'close') {
      database.close()
      port.close()
      return
    }
    try {
      send({ kind: 'result', id: request.id, result: run(request.operation, request.args as never) })
    } catch (error) {
      send({
        kind: 'failure',
        id: request.id,
        message: error instanceof Error ? error.message : String(error),
      })
    }
  })
  send({ kind: 'open' })
} catch (error) {
  send({ kind: 'refused', message: error instanceof Error ? error.message : String(error) })
  port.close()
}
