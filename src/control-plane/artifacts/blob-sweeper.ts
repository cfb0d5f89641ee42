/**
 * Deletes the packages of code and layers that nothing refers to any more (docs/adr/0081). The documents are the truth,
 * so nothing has to be counted: now and then, and only when something has changed, all of them are looked through a page
 * at a time for the digests of old enough blobs.
 */
import { unusedBlobKey, UNUSED_BLOBS } from '#contracts/keys.ts'
import { sleep, type Clock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import type { Component } from '#kernel/lifecycle.ts'
import { MINUTE_MS } from '#kernel/units.ts'
import type { Logger } from '#observability/port.ts'
import type { Blobs, Meta, MetaChange, MetaWrite } from '#store/port.ts'

import { mentionsOf, skipFrom } from './blob-mentions.ts'
import { decideSweep, type UnusedBlob } from './sweep-candidates.ts'

export interface Swept {
  readonly deleted: number
  readonly marked: number
  /** Documents that were looked through. */
  readonly documents: number
}

export interface BlobSweeper extends Component {
  /** One sweep, now. Sweeps take turns. Rejects when the store fails, or with the reason of the stop. */
  sweep(): Promise<Swept>
}

const PAGE = 100
/** Between two pages, so that half a million documents take minutes, and nobody else notices. */
const PAUSE_MS = 25
/** Blobs of one sweep; the next one goes on behind them. */
const MAX_CANDIDATES = 50_000
const FIRST_SWEEP_MS = MINUTE_MS

export function createBlobSweeper(options: {
  readonly meta: Meta
  readonly blobs: Blobs
  readonly clock: Clock
  readonly logger: Logger
  /** For how long what is unused is kept at least. Far more than a deployment takes from its first byte to its document. */
  readonly graceMs: number
  readonly maxCandidates?: number
  readonly pauseMs?: number
}): BlobSweeper {
  const { meta, blobs, clock, logger, graceMs } = options
  const { maxCandidates = MAX_CANDIDATES, pauseMs = PAUSE_MS } = options
  const stopping = new AbortController()
  /** Digest and last put of the blobs that the sweep under way has found no mention of. */
  let candidates = new Map<string, number>()
  /** Where the next sweep begins; '' when the last one reached the end. */
  let place = ''
  /** Whether another sweep may find something: marks that wait, blobs not looked at, or documents that have changed. */
  let hasWork = true
  let turn: Promise<unknown> = Promise.resolve()
  let stopWatching: (() => void) | undefined
  let disarm = () => {}

  const keep = (sha256: string) => void candidates.delete(sha256)
  const onChanges = (changes: readonly MetaChange[]) => {
    for (const { key, doc } of changes) {
      if (skipFrom(key) !== undefined) continue
      hasWork = true
      if (candidates.size > 0 && doc !== null) mentionsOf(key, doc, keep)
    }
  }
  const follow = async () => {
    stopWatching ??= meta.watch(await meta.rev(), onChanges)
  }
  const goOn = () => sleep(clock, pauseMs, stopping.signal)

  /** The blobs after `place` that are old enough, with their last put, and where the next sweep begins. */
  const oldBlobs = async (putBefore: number) => {
    const old = new Map<string, number>()
    for (let after = place; ;) {
      const page = await blobs.list(after, PAGE)
      for (const { sha256, putAt } of page) {
        if (putAt < putBefore) old.set(sha256, putAt)
        // Perhaps unused already, and nothing will change once it is old enough.
        else hasWork = true
      }
      after = page.at(-1)?.sha256 ?? ''
      if (page.length < PAGE) return { old, next: '' }
      if (old.size >= maxCandidates) return { old, next: after }
      await goOn()
    }
  }

  /** Looks through the documents until every candidate was seen in one, or there are no more. */
  const lookThrough = async () => {
    let documents = 0
    for (let after = ''; candidates.size > 0;) {
      const rows = await meta.list('', after, PAGE)
      for (const { key, doc } of rows) {
        after = key
        const end = skipFrom(key)
        if (end !== undefined) {
          after = end
          break
        }
        documents++
        mentionsOf(key, doc, keep)
      }
      if (rows.length === 0) break
      await goOn()
    }
    return documents
  }

  const readMarks = async () => {
    const marks = new Map<string, UnusedBlob>()
    for (let after = ''; ;) {
      const rows = await meta.list(UNUSED_BLOBS, after, PAGE)
      for (const { key, doc } of rows) marks.set(key.slice(UNUSED_BLOBS.length), doc as unknown as UnusedBlob)
      after = rows.at(-1)?.key ?? ''
      if (rows.length < PAGE) return marks
    }
  }

  const run = async (): Promise<Swept> => {
    await follow()
    const now = clock.now()
    const putBefore = now - graceMs
    const from = place
    hasWork = false
    try {
      const { old, next } = await oldBlobs(putBefore)
      candidates = new Map(old)
      const documents = await lookThrough()
      const marks = await readMarks()
      // Everything that was committed before this read has been told to `onChanges` when it answers.
      await meta.rev()

      let deleted = 0
      const writes: MetaWrite[] = []
      const write = async (key: string, doc: UnusedBlob | null) => {
        if (writes.push({ key, doc: doc as unknown as Json }) >= PAGE) await meta.txn(writes.splice(0))
      }
      let marked = 0
      for (const [sha256, putAt] of old) {
        const mark = marks.get(sha256)
        marks.delete(sha256)
        // Asked for each anew: while the others were deleted somebody may have begun to use it.
        const decision = candidates.has(sha256) ? decideSweep({ putAt, mark }, now, graceMs) : 'used'
        if (decision === 'mark') {
          marked++
          await write(unusedBlobKey(sha256), { since: now })
        } else if (decision === 'used') {
          if (mark) await write(unusedBlobKey(sha256), null)
        } else if (decision === 'delete' && (await blobs.del(sha256, putBefore))) {
          // A mark that outlives its blob in a crash is older than the next put, and says nothing then.
          deleted++
          await write(unusedBlobKey(sha256), null)
          continue
        }
        if (decision !== 'used') hasWork = true
      }
      // Marks of blobs that are gone, or were put again.
      for (const sha256 of marks.keys()) {
        if (sha256 > from && (next === '' || sha256 <= next)) await write(unusedBlobKey(sha256), null)
      }
      if (writes.length > 0) await meta.txn(writes)
      place = next
      if (next !== '') hasWork = true
      if (deleted > 0) logger.info('Unused packages were deleted', { deleted })
      return { deleted, marked, documents }
    } catch (error) {
      hasWork = true
      throw error
    } finally {
      candidates = new Map()
    }
  }

  const sweep = () => {
    const mine = turn.then(run, run)
    turn = mine.catch(() => {})
    return mine
  }

  const arm = (delayMs: number) => {
    if (stopping.signal.aborted) return
    disarm = clock.after(delayMs, () => {
      const done = hasWork ? sweep() : Promise.resolve()
      void done
        .catch((error: unknown) => {
          if (!stopping.signal.aborted) logger.warn('Unused packages could not be looked for', { error })
        })
        .then(() => arm(graceMs))
    })
  }

  return {
    sweep,
    async start() {
      await follow()
      arm(Math.min(FIRST_SWEEP_MS, graceMs))
    },
    async drain() {
      disarm()
    },
    async stop() {
      disarm()
      if (!stopping.signal.aborted) stopping.abort(new Error('The sweeper was stopped'))
      stopWatching?.()
      stopWatching = undefined
      await turn
    },
  }
}
