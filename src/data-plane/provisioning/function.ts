/** The provisioned concurrency of one function: its configurations, who gets how many environments, and what is said. */
import type { FunctionId } from '#contracts/arn.ts'
import type { Alias, FunctionVersion } from '#contracts/function.ts'
import { aliasKey, provisionedConcurrencyPrefix, provisionedStateKey, versionKey } from '#contracts/keys.ts'
import {
  sharesOf,
  type ProvisionedConcurrency,
  type ProvisionedConcurrencyState,
} from '#contracts/provisioned-concurrency.ts'
import type { Counting } from '#data-plane/counting/port.ts'
import type { Placement, ReadyState } from '#data-plane/placement/port.ts'
import { availableOf, decideState } from '#data-plane/provisioning/decide-state.ts'
import { walk } from '#data-plane/provisioning/walk.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import { SECOND_MS } from '#kernel/units.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta, MetaWrite } from '#store/port.ts'

export interface FunctionProvisioning {
  /** Something about the function has changed, or may have. */
  look(): void
  /** A state that an earlier run of the program has left in the store. */
  remember(state: ProvisionedConcurrencyState): void
  /** Resolves when it has looked at everything it was told of. */
  settled(): Promise<void>
  stop(): void
}

interface Target {
  readonly config: ProvisionedConcurrency
  readonly shares: readonly { readonly version: string; readonly count: number }[]
  readonly isMoving: boolean
}

/** What placement was asked for, of one version. */
interface Kept {
  readonly version: FunctionVersion
  readonly count: number
  readonly token: string
  ready: ReadyState | undefined
}

const RETRY_MS = SECOND_MS
/** Equal as long as nothing else is asked for. */
const purposeOf = ({ config, shares }: Target) => JSON.stringify([config.token, shares])

export function createFunctionProvisioning(options: {
  readonly id: FunctionId
  readonly meta: Meta
  readonly placement: Pick<Placement, 'keepReady'>
  readonly counting: Pick<Counting, 'setProvisioned'>
  readonly clock: Clock
  readonly logger: Logger
  /** The function has no provisioned concurrency any more. */
  readonly onEmpty: () => void
}): FunctionProvisioning {
  const { id, meta, placement, counting, clock, logger, onEmpty } = options
  const kept = new Map<string, Kept>()
  /** By qualifier, as the store has it. */
  const written = new Map<string, ProvisionedConcurrencyState>()
  /** By qualifier: the purpose that was ready once. */
  const reached = new Map<string, string>()
  let targets: readonly Target[] = []
  let mustLook = false
  let mustReport = false
  let work: Promise<void> | undefined
  let cancelRetry = () => {}
  let stopped = false

  const readTargets = async (): Promise<readonly Target[]> => {
    const found: Target[] = []
    for await (const row of walk(meta, provisionedConcurrencyPrefix(id))) {
      const config = row.doc as unknown as ProvisionedConcurrency
      const isVersion = /^\d+$/.test(config.qualifier)
      const alias = isVersion ? undefined : await meta.get(aliasKey(id, config.qualifier))
      // Its alias goes together with it: this will be seen in a moment.
      if (!isVersion && !alias) continue
      const target: Parameters<typeof sharesOf>[1] = (alias?.doc as Alias | undefined) ?? {
        version: config.qualifier,
      }
      const { moving = false } = target
      found.push({ config, shares: sharesOf(config.requested, target), isMoving: moving })
    }
    return found
  }

  const letGo = (number: string, { version }: Kept) => {
    kept.delete(number)
    counting.setProvisioned(id, number, 0)
    placement.keepReady({ version, count: 0, initializationType: 'provisioned-concurrency' })
  }

  const keep = async (number: string, count: number, token: string) => {
    const before = kept.get(number)
    if (before?.count === count && before.token === token) return
    // Another token may be about another function of this name.
    const row = before?.token === token ? undefined : await meta.get(versionKey(id, number))
    const version = before?.token === token ? before.version : (row?.doc as FunctionVersion | undefined)
    // Deleted meanwhile, with its configuration: this will be seen in a moment.
    if (!version) return
    const isSame = before?.version.generation === version.generation
    if (before && !isSame) letGo(number, before)
    const entry: Kept = { version, count, token, ready: isSame ? before.ready : undefined }
    kept.set(number, entry)
    placement.keepReady({
      version,
      count,
      initializationType: 'provisioned-concurrency',
      onChange(ready) {
        if (stopped || kept.get(number) !== entry) return
        entry.ready = ready
        counting.setProvisioned(id, number, availableOf({ version: number, count, ready }))
        mustReport = true
        run()
      },
    })
  }

  const apply = async () => {
    targets = await readTargets()
    const wanted = new Map(
      targets.flatMap(({ config, shares }) =>
        shares.map(({ version, count }) => [version, { count, token: config.token }] as const),
      ),
    )
    // Room first: what is let go makes place for what is wanted.
    for (const [number, entry] of kept) if (!wanted.has(number)) letGo(number, entry)
    for (const [number, { count, token }] of wanted) await keep(number, count, token)
  }

  /** Writes what has changed since it was said last. */
  const report = async () => {
    const writes: MetaWrite[] = []
    const states = new Map<string, ProvisionedConcurrencyState>()
    for (const target of targets) {
      const { config, isMoving } = target
      const purpose = purposeOf(target)
      const shares = target.shares.map((share) => ({ ...share, ready: kept.get(share.version)?.ready }))
      const wasReady = reached.get(config.qualifier) === purpose
      const state = decideState({ config, shares, isMoving, wasReady })
      if (state.status === 'READY') reached.set(config.qualifier, purpose)
      states.set(config.qualifier, state)
      if (JSON.stringify(written.get(config.qualifier)) === JSON.stringify(state)) continue
      writes.push({ key: provisionedStateKey(id, config.qualifier), doc: state as unknown as Json })
    }
    for (const qualifier of written.keys()) {
      if (!states.has(qualifier)) writes.push({ key: provisionedStateKey(id, qualifier), doc: null })
    }
    if (writes.length > 0) await meta.txn(writes)
    for (const qualifier of written.keys()) if (!states.has(qualifier)) reached.delete(qualifier)
    written.clear()
    for (const [qualifier, state] of states) written.set(qualifier, state)
  }

  const turn = async () => {
    while ((mustLook || mustReport) && !stopped) {
      const isLook = mustLook
      mustLook = false
      mustReport = false
      try {
        if (isLook) await apply()
        await report()
      } catch (error) {
        logger.error('Provisioned concurrency could not be brought up to date', {
          function: id.name,
          error: String(error),
        })
        cancelRetry = clock.after(RETRY_MS, () => look())
        return
      }
    }
    if (!stopped && targets.length === 0 && written.size === 0) onEmpty()
  }

  const run = () => {
    work ??= turn().finally(() => {
      work = undefined
      if (mustLook || mustReport) run()
    })
  }
  const look = () => {
    mustLook = true
    run()
  }

  return {
    look,
    remember: (state) => void written.set(state.qualifier, state),
    settled: async () => work,
    stop() {
      stopped = true
      mustLook = false
      mustReport = false
      cancelRetry()
      // In a cluster this node lives on, and another keeps them now.
      for (const [number, entry] of kept) letGo(number, entry)
    },
  }
}
