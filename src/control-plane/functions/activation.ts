/**
 * Carries functions from Pending to Active and updates from InProgress to Successful, by having each version prepared.
 * What a crash left on its way is taken up again at the next start.
 */
import { LATEST } from '#contracts/arn.ts'
import { LambdaError } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import {
  ALL_FUNCTIONS,
  ALL_VERSIONS,
  functionKey,
  IN_TRANSITION,
  INDEXES_COMPLETE,
  versionKey,
} from '#contracts/keys.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'
import { createSemaphore } from '#kernel/semaphore.ts'
import { MINUTE_MS } from '#kernel/units.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta } from '#store/port.ts'

import { createCommitter, type Decision } from '../commit.ts'
import { asJson, createDocuments, headWrite, walk } from '../documents.ts'
import { indexWrites, versionIn } from '../indexes.ts'
import type { Preparer } from '../port.ts'
import { failed, isInTransition, prepared } from './state.ts'

export interface Activation extends Component {
  /** Whether another version may be driven; asked before a request is accepted. */
  readonly hasRoom: boolean
  /** Prepares a stored version in the background and records how it went. Driving it twice is driving it once. */
  drive(version: FunctionVersion): void
}

/** After a failed update invocations stay with what worked; after a successful one there is nothing to stay with. */
const keptServing = (version: FunctionVersion, serving: FunctionVersion | undefined) =>
  version.lastUpdateStatus === 'Failed' && serving ? { serving } : {}

const MAX_WAITING = 10_000
const PARALLEL = 4
/** A preparation may download a runtime; after this long it has failed. */
const PREPARE_DEADLINE_MS = 15 * MINUTE_MS

export function createActivation(options: {
  readonly meta: Meta
  readonly preparer: Preparer
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly parallel?: number
}): Activation {
  const { meta, preparer, clock, random, logger, parallel = PARALLEL } = options
  const documents = createDocuments(meta)
  const committer = createCommitter(meta)
  const places = createSemaphore({ places: parallel })
  const running = new Map<string, Promise<void>>()
  const stopping = new AbortController()
  let accepting = true
  let reconciling: Promise<void> | undefined

  const prepare = (version: FunctionVersion) =>
    new Promise<void>((resolve, reject) => {
      const cancel = clock.after(PREPARE_DEADLINE_MS, () =>
        reject(new LambdaError('InternalError', 'Preparing the function took too long.')),
      )
      preparer.prepare(version).then(resolve, reject).finally(cancel)
    })

  /** Writes `next(version)` unless the version is gone, was replaced, or is not on its way any more. */
  const record = (version: FunctionVersion, next: (current: FunctionVersion) => FunctionVersion) => {
    const isSame = (current: FunctionVersion | undefined): current is FunctionVersion =>
      current?.generation === version.generation && isInTransition(current)
    const nothing: Decision<void> = { writes: [], result: undefined }
    return committer.run(functionKey(version), async () => {
      if (version.version !== LATEST) {
        const before = await documents.version(version, version.version)
        if (!before || !isSame(before.doc)) return nothing
        const key = versionKey(version, version.version)
        const { serving, ...published } = before.doc
        const changed = next(published)
        const doc = { ...changed, ...keptServing(changed, serving) }
        return { writes: [{ key, ifRev: before.rev, doc: asJson(doc) }], result: undefined }
      }
      const before = await documents.head(version)
      if (!before || !isSame(before.doc.latest)) return nothing
      const latest = next(before.doc.latest)
      const { serving, ...rest } = before.doc
      const head = { ...rest, ...keptServing(latest, serving), latest }
      return { writes: [headWrite(before, head)], result: undefined }
    })
  }

  const run = async (version: FunctionVersion) => {
    const release = await places.acquire(stopping.signal)
    try {
      let next = (current: FunctionVersion) => prepared(current, random.uuid())
      try {
        await prepare(version)
      } catch (error) {
        if (stopping.signal.aborted) return
        if (!(error instanceof LambdaError)) {
          logger.error('A function could not be prepared', { function: version.name, error: String(error) })
        }
        next = (current) => failed(current, error, random.uuid())
      }
      if (!stopping.signal.aborted) await record(version, next)
    } finally {
      release()
    }
  }

  const track = (version: FunctionVersion): Promise<void> => {
    const key = `${functionKey(version)}:${version.version}:${version.generation}`
    const already = running.get(key)
    if (already) return already
    const job = run(version)
      .catch((error: unknown) => {
        if (stopping.signal.aborted) return
        // The version stays on its way in the store; the next start takes it up again.
        logger.error('A function state could not be written', {
          function: version.name,
          error: String(error),
        })
      })
      .finally(() => running.delete(key))
    running.set(key, job)
    return job
  }

  /** Takes up what is on its way, a handful at a time, so that a large store does not become a large queue. */
  const reconcile = async () => {
    const batch = new Set<Promise<void>>()
    const take = async (version: FunctionVersion) => {
      const job = track(version)
      batch.add(job)
      void job.finally(() => batch.delete(job))
      if (batch.size >= 2 * parallel) await Promise.race(batch)
    }
    // Once, for a store that was written before there was an index.
    const isIndexed = (await meta.get(INDEXES_COMPLETE)) !== null
    for (const prefix of isIndexed ? [] : [ALL_FUNCTIONS, ALL_VERSIONS]) {
      for await (const { key, doc, rev } of walk(meta, prefix)) {
        if (!accepting) return
        const entries = indexWrites([{ key, doc }]).filter((entry) => entry.doc !== null)
        // Not when the document has changed since: then the entries were written with the change.
        if (entries.length > 0) await meta.txn([{ key, ifRev: rev, doc }, ...entries])
      }
    }
    if (!isIndexed) await meta.txn([{ key: INDEXES_COMPLETE, doc: {} }])

    for await (const entry of walk(meta, IN_TRANSITION)) {
      if (!accepting) return
      const key = entry.key.slice(IN_TRANSITION.length)
      const row = await meta.get(key)
      const version = row && versionIn(key, row.doc)
      if (version && isInTransition(version)) await take(version)
      else await meta.txn([{ key: entry.key, ifRev: entry.rev, doc: null }])
    }
    await Promise.all(batch)
  }

  return {
    get hasRoom() {
      return accepting && running.size < MAX_WAITING
    },
    drive(version) {
      // Once draining has begun it stays Pending, until the next start.
      if (accepting) void track(version)
    },
    async start() {
      // Again when another node is gone: what it has left is on its way still.
      reconciling = (reconciling ?? Promise.resolve()).then(reconcile).catch((error: unknown) => {
        logger.error('Functions left on their way could not be taken up', { error: String(error) })
      })
    },
    async drain(deadlineMs) {
      accepting = false
      const idle = Promise.all([reconciling, ...running.values()])
      let cancel = () => {}
      const late = new Promise<void>((resolve) => {
        cancel = clock.after(deadlineMs, resolve)
      })
      await Promise.race([idle, late])
      cancel()
    },
    async stop() {
      accepting = false
      stopping.abort(new Error('The control plane stops'))
    },
  }
}
