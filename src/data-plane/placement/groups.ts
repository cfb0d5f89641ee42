/** The book-keeping of placement: environments and waiting invocations, grouped by what they may serve. */
import type { FunctionId } from '#contracts/arn.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import type { InvocationResult } from '#contracts/invocation.ts'
import type {
  PlacementInvocation,
  ReadyFailure,
  ReadyState,
  ReadyTarget,
  RetireTarget,
} from '#data-plane/placement/port.ts'
import type { Environment } from '#data-plane/worker/port.ts'
import type { TokenBucket } from '#kernel/token-bucket.ts'
import type { RecencyLinks } from '#kernel/recency-list.ts'

/** One environment, from its arrival until it is gone. It is in the recency list while it is idle. */
export interface Slot extends RecencyLinks<Slot> {
  readonly environment: Environment
  readonly group: Group
  /** What it was promised when it was started. */
  readonly memoryMiB: number
  /** Monotonic milliseconds. */
  readonly startedAt: number
  idleSince: number
  /** It is one of those that are kept ready: not in the recency list, never reclaimed. */
  readonly kept: boolean
  /** Invocations that it runs now. */
  running: number
  stopping: boolean
  gone: boolean
}

/** An environment that has just arrived. */
export const newSlot = (
  parts: Pick<Slot, 'environment' | 'group' | 'memoryMiB' | 'kept' | 'startedAt'>,
): Slot => ({
  ...parts,
  running: 0,
  idleSince: 0,
  stopping: false,
  gone: false,
  newer: undefined,
  older: undefined,
})

/** An invocation without an environment. */
export interface Waiter {
  /** Monotonic milliseconds. */
  readonly since: number
  readonly request: PlacementInvocation
  readonly resolve: (result: Promise<InvocationResult>) => void
  readonly reject: (reason: unknown) => void
  /** Cancels its timer and its abort listener. */
  readonly leave: () => void
}

/** What is kept ready of a group; see kept-environments.ts. */
export interface KeptEnvironments {
  target: Omit<ReadyTarget, 'version'>
  /** Initialised ones that are not stopping. */
  readonly slots: Set<Slot>
  /** Those without an invocation, the one used last at the end. */
  readonly idle: Slot[]
  starting: number
  /** Attempts that have failed in a row, and why the last one did. */
  failures: number
  failure: ReadyFailure | undefined
  /** Monotonic milliseconds of the next attempt after a failure. */
  retryAt: number
  cancelTimer: (() => void) | undefined
  /** What was told last. */
  told: ReadyState | undefined
}

/** Everything that serves one generation of one function version, and of a function with tenants one tenant of it. */
export interface Group {
  readonly key: string
  readonly functionKey: string
  /** Newest document of this generation; starts use it. */
  version: FunctionVersion
  /** Invocations that one environment runs at the same time; more than one only on a capacity provider. */
  readonly places: number
  /** Idle environments, the one used last at the end. */
  readonly idle: Slot[]
  /** Invocations without an environment, in order of arrival. */
  readonly waiters: Set<Waiter>
  /** Invocations that wait a moment for an environment that runs, in order of arrival. */
  readonly held: Set<Waiter>
  /** Starts that the function may still make; all its versions share it. */
  readonly scaling: TokenBucket
  /** Environments that exist, idle, busy or stopping. */
  slots: number
  /** Invocations under way. */
  running: number
  /** On a capacity provider: the most that were under way or refused at the same moment, since it was asked last. */
  peakRunning: number
  /** What invocations took lately, milliseconds. */
  typicalMs: number | undefined
  /** Environments that are kept ready; undefined when none are wanted and none are left. */
  kept: KeptEnvironments | undefined
  /** Starts that wait for their turn. */
  queued: number
  /** Starts under way. */
  starting: number
  /** Superseded or deleted: an environment without an invocation is stopped. */
  retired: boolean
  /** False once it was forgotten; a version that points here gets a new group. */
  live: boolean
}

export interface Groups {
  /**
   * The group that serves this version, and this tenant of it where it has tenants, made when there is none. Without
   * tenants a version object seen before costs one look-up.
   */
  of(version: FunctionVersion, tenantId?: string): Group
  /** Forgets the group if nothing is left in it. */
  forgetIfEmpty(group: Group): void
  /** See `Placement.takePeak`. */
  takePeak(version: FunctionVersion): number
  /** Groups that a retirement concerns. */
  concerned(target: RetireTarget): readonly Group[]
  all(): readonly Group[]
}

const keyOfFunction = ({ account, region, name }: FunctionId) => `${account}/${region}/${name}`

/** `newBucket` makes the full bucket of starts of a function that was not there before. */
export function createGroups(newBucket: () => TokenBucket): Groups {
  const functions = new Map<string, { readonly groups: Map<string, Group>; readonly scaling: TokenBucket }>()
  // The catalog hands out the same object until the document changes, so the warm path joins no strings.
  const byVersion = new WeakMap<FunctionVersion, Group>()

  const findOrCreate = (version: FunctionVersion, tenantId: string | undefined) => {
    const functionKey = keyOfFunction(version)
    const generation = `${version.version}/${version.generation}`
    const key = tenantId === undefined ? generation : `${generation}/${tenantId}`
    let known = functions.get(functionKey)
    if (!known) functions.set(functionKey, (known = { groups: new Map(), scaling: newBucket() }))
    const { groups, scaling } = known
    let group = groups.get(key)
    if (!group) {
      group = {
        key,
        functionKey,
        version,
        places: version.managedInstances?.maxConcurrency ?? 1,
        idle: [],
        waiters: new Set(),
        held: new Set(),
        scaling,
        slots: 0,
        running: 0,
        peakRunning: 0,
        typicalMs: undefined,
        kept: undefined,
        queued: 0,
        starting: 0,
        retired: false,
        live: true,
      }
      groups.set(key, group)
    }
    return group
  }

  const find = ({ version, generation, ...id }: FunctionVersion) =>
    functions.get(keyOfFunction(id))?.groups.get(`${version}/${generation}`)

  return {
    of(version, tenantId) {
      const known = tenantId === undefined ? byVersion.get(version) : undefined
      if (known?.live) return known
      const group = findOrCreate(version, tenantId)
      group.version = version
      if (tenantId === undefined) byVersion.set(version, group)
      return group
    },
    forgetIfEmpty(group) {
      if (
        !group.live ||
        group.kept !== undefined ||
        group.slots + group.starting + group.queued + group.waiters.size + group.held.size > 0
      )
        return
      group.live = false
      const groups = functions.get(group.functionKey)?.groups
      groups?.delete(group.key)
      if (groups?.size === 0) functions.delete(group.functionKey)
    },
    takePeak(version) {
      const group = find(version)
      if (!group) return 0
      const { peakRunning } = group
      group.peakRunning = group.running
      return peakRunning
    },
    concerned({ id, version, keepGeneration }) {
      return [...(functions.get(keyOfFunction(id))?.groups.values() ?? [])].filter(
        (group) =>
          (version === undefined || group.version.version === version) &&
          (keepGeneration === undefined || group.version.generation !== keepGeneration),
      )
    },
    all: () => [...functions.values()].flatMap(({ groups }) => [...groups.values()]),
  }
}
