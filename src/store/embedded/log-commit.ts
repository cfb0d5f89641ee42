/** Checks that every queue log makes on a commit before it looks at the fences. */
import type { LogCommit } from '#store/port.ts'

/** Ids are stored as signed 64-bit integers. */
const MAX_ID = 2n ** 63n - 1n

/** Throws a TypeError when work is not fenced, or an id is out of range: both are mistakes of the caller. */
export function checkLogCommit(batch: LogCommit): void {
  const fenced = new Set(batch.fences.map((fence) => fence.queue))
  for (const { queue, id } of [...batch.append, ...batch.remove, ...batch.move]) {
    if (!fenced.has(queue)) throw new TypeError(`Queue ${queue} is written to without a fence`)
    if (id <= 0n || id > MAX_ID) throw new TypeError(`A log id is a positive 64-bit number, not ${id}`)
  }
}
