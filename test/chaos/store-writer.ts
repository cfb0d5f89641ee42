/**
 * Child process of the store's crash tests: writes through every port until it is killed, and prints one line for each
 * acknowledged write after the acknowledgement. Arguments: data directory, name of this run.
 */
import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'

import { systemClock } from '#kernel/clock.ts'
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts'

const [directory = '', run = ''] = process.argv.slice(2)
const store = await openSqliteStore({ directory, clock: systemClock })
// Written at once and not through a buffer, so that no line is lost with the process.
const ack = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`)

await store.leases.define('queue', ['0'])
const [lease] = await store.leases.acquire('queue', 1)
if (!lease) throw new Error('The queue has an owner already')
ack({ lease: lease.epoch })
const fences = [{ queue: 0, epoch: lease.epoch }]
let nextId = BigInt(Date.now()) << 12n

const repeat = async (write: (n: number) => Promise<object>) => {
  for (let n = 0; ; n++) ack(await write(n))
}
const workers = [
  repeat(async (n) => {
    const key = `${run}/${n % 50}`
    const answer = await store.meta.txn([
      { key, doc: n },
      { key: `${run}/twin/${n % 50}`, doc: n },
    ])
    return { meta: key, n, rev: answer === 'conflict' ? 0 : answer.rev }
  }),
  repeat(async (n) => {
    const [id, gone] = [nextId++, nextId++]
    const append = [id, gone].map((each) => ({
      id: each,
      queue: 0,
      visibleAt: n,
      head: `"${run} ${n}"`,
      payload: Buffer.alloc(500, String(each)),
    }))
    await store.queueLog.commit({ fences, append, remove: [], move: [] })
    const move = [{ queue: 0, id, visibleAt: n + 1, head: `"${run} moved"` }]
    await store.queueLog.commit({ fences, append: [], remove: [{ queue: 0, id: gone }], move })
    return { log: String(id), gone: String(gone), visibleAt: n + 1 }
  }),
  repeat(async (n) => {
    const bytes = Buffer.from(`${run} blob ${n}`.repeat(1000))
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    await store.blobs.put(sha256, bytes)
    return { blob: sha256 }
  }),
]
await Promise.all(workers)
