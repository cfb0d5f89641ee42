/** Keeps environments ready for the versions on capacity providers, as many as their limits and their load say. */
import { LATEST, LATEST_PUBLISHED, type FunctionId } from '#contracts/arn.ts'
import {
  DEFAULT_SCALING,
  vCpusOf,
  type CapacityProvider,
  type FunctionScaling,
  type ScalingLimits,
} from '#contracts/capacity-provider.ts'
import { LambdaError } from '#contracts/errors.ts'
import { servingPublished, type FunctionVersion, type PublishedVersion } from '#contracts/function.ts'
import {
  ALL_CAPACITY_PROVIDER_USES,
  capacityProviderKey,
  functionScalingKey,
  versionKey,
} from '#contracts/keys.ts'
import { decideScale } from '#data-plane/managed-instances/decide-scale.ts'
import type { ManagedInstancesScaler } from '#data-plane/managed-instances/port.ts'
import { createReadiness, type Readiness } from '#data-plane/managed-instances/readiness.ts'
import type { Placement, ReadyState } from '#data-plane/placement/port.ts'
import type { Clock } from '#kernel/clock.ts'
import { SECOND_MS } from '#kernel/units.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta } from '#store/port.ts'

/** One generation of one version. */
interface Kept {
  readonly version: FunctionVersion
  readonly providerKey: string
  readonly vCpus: number
  limits: ScalingLimits
  target: number
  calmPeriods: number
  readonly readiness: Readiness
}

const PERIOD_MS = SECOND_MS
/** Uses read at once at the start. */
const PAGE = 200

export function createManagedInstancesScaler(options: {
  readonly meta: Meta
  readonly placement: Pick<Placement, 'keepReady' | 'takePeak'>
  readonly clock: Clock
  readonly logger: Logger
}): ManagedInstancesScaler {
  const { meta, placement, clock, logger } = options
  const all = new Map<string, Kept>()
  let cancelTimer: (() => void) | undefined
  let stopped = false

  const keyOf = (version: FunctionVersion) => `${versionKey(version, version.version)}/${version.generation}`

  const read = async <Doc>(key: string) =>
    ((await meta.get(key))?.doc ?? undefined) as unknown as Doc | undefined

  /** Environments of it that the provider has vCPUs for beside all others. */
  const affordable = async (kept: Kept): Promise<number> => {
    const provider = await read<CapacityProvider>(kept.providerKey)
    if (!provider) return 0
    let others = 0
    for (const other of all.values()) {
      if (other !== kept && other.providerKey === kept.providerKey) others += other.target * other.vCpus
    }
    return Math.max(0, Math.floor((provider.maxVCpuCount - others) / kept.vCpus))
  }

  const forget = (kept: Kept) => {
    if (all.get(keyOf(kept.version)) === kept) all.delete(keyOf(kept.version))
  }

  const keep = (kept: Kept, target: number) => {
    kept.target = target
    placement.keepReady({
      version: kept.version,
      count: target,
      initializationType: 'lambda-managed-instances',
      onChange(state: ReadyState) {
        // Its version was deleted, or replaced by another generation.
        if (state.wanted === 0 && kept.target > 0) forget(kept)
        kept.readiness.note(state)
      },
    })
  }

  const keptFor = (version: FunctionVersion, limits: ScalingLimits): Kept | undefined => {
    const { managedInstances } = version
    if (!managedInstances) return undefined
    const known = all.get(keyOf(version))
    if (known) {
      known.limits = limits
      return known
    }
    const kept: Kept = {
      version,
      providerKey: capacityProviderKey(version, managedInstances.capacityProvider),
      vCpus: vCpusOf(version.memoryMiB, managedInstances),
      limits,
      target: 0,
      calmPeriods: 0,
      readiness: createReadiness(),
    }
    all.set(keyOf(version), kept)
    return kept
  }

  const apply = async (
    version: FunctionVersion,
    limits: ScalingLimits,
    { required }: { readonly required: number } = { required: limits.minEnvironments },
  ): Promise<void> => {
    const kept = keptFor(version, limits)
    if (!kept || stopped) return
    const most = await affordable(kept)
    if (most < required) {
      if (kept.target === 0) forget(kept)
      // The code is AWS's, the text is ours.
      throw new LambdaError(
        'CapacityProviderScalingLimitExceeded',
        `The capacity provider's MaxVCpuCount leaves room for ${most} execution environments of ${kept.vCpus} vCPUs; ${required} are needed.`,
      )
    }
    const wanted = Math.max(limits.minEnvironments, Math.min(kept.target, limits.maxEnvironments))
    const hadAny = kept.target > 0
    const ready = kept.readiness.wait(Math.min(wanted, most), required)
    keep(kept, Math.min(wanted, most))
    // Placement says nothing of what it never kept.
    if (!hadAny && kept.target === 0) kept.readiness.note({ wanted: 0, starting: 0, ready: 0 })
    armTimer()
    try {
      await ready
    } catch (error) {
      // Nothing is left of a version that never came to be; one that runs goes on with what it has.
      if (version.state === 'Pending') {
        keep(kept, 0)
        forget(kept)
      }
      throw error
    }
    if (limits.maxEnvironments === 0) forget(kept)
  }

  /** One look at each version's load. */
  const look = async (kept: Kept) => {
    const peak = placement.takePeak(kept.version)
    const { limits, target, calmPeriods } = kept
    const places = kept.version.managedInstances?.maxConcurrency ?? 1
    const state = { limits, target, peak, places, calmPeriods }
    const next = decideScale({ ...state, affordable: limits.maxEnvironments })
    kept.calmPeriods = next.calmPeriods
    if (next.target === target) return
    // Only now the store is asked.
    const allowed = decideScale({ ...state, affordable: await affordable(kept) }).target
    if (all.get(keyOf(kept.version)) === kept && kept.target === target && allowed !== target)
      keep(kept, allowed)
  }

  const tick = async () => {
    for (const kept of all.values()) if (kept.target > 0) await look(kept)
  }
  const armTimer = () => {
    if (stopped || cancelTimer || all.size === 0) return
    cancelTimer = clock.after(PERIOD_MS, () => {
      cancelTimer = undefined
      tick()
        .catch((error: unknown) => {
          logger.warn('Environments on capacity providers could not be scaled', { error: String(error) })
        })
        .finally(armTimer)
    })
  }

  /** Takes up what was kept when the program ended. Versions on their way are driven by the control plane. */
  const resume = async (id: FunctionId & { readonly version: string }) => {
    if (id.version === LATEST) return
    const published = await read<PublishedVersion>(versionKey(id, id.version))
    if (!published || (published.state !== 'Active' && published.state !== 'Deactivating')) return
    const isReplaced = id.version === LATEST_PUBLISHED && published.serving !== undefined
    if (published.lastUpdateStatus === 'InProgress' && !isReplaced) return
    const scaling = await read<FunctionScaling>(functionScalingKey(id, id.version))
    const limits = scaling?.applied ?? scaling?.requested ?? DEFAULT_SCALING
    const kept = keptFor(servingPublished(published), limits)
    if (kept) keep(kept, Math.min(limits.minEnvironments, await affordable(kept)))
  }

  return {
    apply,
    async start() {
      for (let after = ''; ;) {
        const rows = await meta.list(ALL_CAPACITY_PROVIDER_USES, after, PAGE)
        for (const { doc } of rows) await resume(doc as unknown as FunctionId & { readonly version: string })
        const last = rows.at(-1)
        if (!last || rows.length < PAGE) break
        after = last.key
      }
      armTimer()
    },
    async drain() {},
    async stop() {
      stopped = true
      cancelTimer?.()
      for (const { readiness } of all.values()) readiness.abandon()
      all.clear()
    },
  }
}
