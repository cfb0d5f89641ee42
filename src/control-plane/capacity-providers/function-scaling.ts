/**
 * Carries into effect how many environments a version on a capacity provider may have. What a crash left on its way is
 * taken up again at the next start.
 */
import { LATEST } from '#contracts/arn.ts'
import { isDeactivated, sameScaling, type FunctionScaling } from '#contracts/capacity-provider.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { ALL_FUNCTION_SCALING, functionKey, functionScalingKey, versionKey } from '#contracts/keys.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta } from '#store/port.ts'

import { createCommitter } from '../commit.ts'
import { asJson, createDocuments, docOf, walk } from '../documents.ts'
import { isInTransition, stepped } from '../functions/state.ts'
import type { ManagedCapacity } from '../port.ts'
import { limitsOf } from './scaling-request.ts'

export interface FunctionScalingDriver extends Component {
  /** Has the limits of a version kept, and resolves when they are. Rejects like `ManagedCapacity.apply`. */
  apply(version: FunctionVersion): Promise<void>
  /** The same in the background, with the version's state after it. */
  drive(version: FunctionVersion): void
}

export function createFunctionScalingDriver(options: {
  readonly meta: Meta
  readonly capacity: ManagedCapacity
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}): FunctionScalingDriver {
  const { meta, capacity, clock, random, logger } = options
  const documents = createDocuments(meta)
  const committer = createCommitter(meta)
  const running = new Set<Promise<void>>()
  let accepting = true
  let reconciling: Promise<void> | undefined

  /** Writes what is in effect now, unless something else has been asked for since. */
  const record = (version: FunctionVersion, applied: FunctionScaling['requested']) =>
    committer.run(functionKey(version), async () => {
      const before = await documents.scaling(version, version.version)
      const current = await documents.version(version, version.version)
      if (!before || !current || !sameScaling(before.doc.requested, applied)) {
        return { writes: [], result: undefined }
      }
      const key = functionScalingKey(version, version.version)
      const scalingWrite = { key, ifRev: before.rev, doc: asJson({ ...before.doc, applied }) }
      if (current.doc.state !== 'Deactivating' || !isDeactivated(applied)) {
        return { writes: [scalingWrite], result: undefined }
      }
      const doc = asJson(stepped(current.doc, 'Deactivated', random.uuid()))
      return {
        writes: [scalingWrite, { key: versionKey(version, version.version), ifRev: current.rev, doc }],
        result: undefined,
      }
    })

  const apply = async (version: FunctionVersion) => {
    const scaling = await documents.scaling(version, version.version)
    const { limits, required } = limitsOf(scaling?.doc)
    await capacity.apply(version, limits, { required })
    if (scaling) await record(version, limits)
  }

  const track = (version: FunctionVersion): Promise<void> => {
    const job = apply(version)
      .catch((error: unknown) => {
        if (!accepting) return
        // What was in effect before stays in effect; the next start tries again.
        logger.warn('A scaling configuration could not be carried into effect', {
          function: version.name,
          version: version.version,
          error: String(error),
        })
      })
      .finally(() => running.delete(job))
    running.add(job)
    return job
  }

  const reconcile = async () => {
    for await (const row of walk(meta, ALL_FUNCTION_SCALING)) {
      if (!accepting) return
      const scaling = docOf<FunctionScaling>(row)
      if (sameScaling(scaling.applied, scaling.requested)) continue
      const version = await documents.version(scaling, scaling.version)
      // A version that is Pending is driven by its activation.
      if (version?.doc.state === 'Active' || version?.doc.state === 'Deactivating') void track(version.doc)
    }
  }

  return {
    apply,
    drive(version) {
      if (accepting) void track(version)
    },
    async start() {
      // Again when another node is gone: what it has left is on its way still.
      reconciling = (reconciling ?? Promise.resolve()).then(reconcile).catch((error: unknown) => {
        logger.error('Scaling configurations left on their way could not be taken up', {
          error: String(error),
        })
      })
    },
    async drain(deadlineMs) {
      accepting = false
      let cancel = () => {}
      const late = new Promise<void>((resolve) => {
        cancel = clock.after(deadlineMs, resolve)
      })
      await Promise.race([Promise.all([reconciling, ...running]), late])
      cancel()
    },
    async stop() {
      accepting = false
    },
  }
}

/** A preparer that also has the environments of versions on capacity providers made ready. */
export const withManagedInstances = (
  preparer: { prepare(version: FunctionVersion): Promise<void> },
  scaling: Pick<FunctionScalingDriver, 'apply'>,
) => ({
  async prepare(version: FunctionVersion) {
    await preparer.prepare(version)
    // `$LATEST` is never invoked there, what is deactivated has no environments, and what is Active has them.
    const hasEnvironments = version.managedInstances && version.version !== LATEST
    const isWaiting = isInTransition(version) && version.state !== 'Deactivated'
    if (hasEnvironments && isWaiting) await scaling.apply(version)
  },
})
