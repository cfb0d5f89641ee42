/** Assignment and placement on one host: performs what decide.ts decides. */
import { functionArn } from '#contracts/arn.ts'
import { LambdaError, serviceFailure } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import type { InvocationResult } from '#contracts/invocation.ts'
import {
  decideAssignment,
  decideHold,
  decideKeep,
  typicalAfter,
  waitingInVain,
} from '#data-plane/placement/decide.ts'
import { createGroups, newSlot, type Group, type Slot } from '#data-plane/placement/groups.ts'
import { createHostLoad, isCapacityError } from '#data-plane/placement/host-load.ts'
import { createHolding } from '#data-plane/placement/holding.ts'
import { createKeptPool } from '#data-plane/placement/kept-environments.ts'
import { createIdleEnvironments } from '#data-plane/placement/idle-environments.ts'
import { defaultPlacementPolicy, type PlacementPolicy } from '#data-plane/placement/policy.ts'
import type { Placement, PlacementInvocation } from '#data-plane/placement/port.ts'
import { createQuiet } from '#data-plane/placement/quiet.ts'
import { mayScale } from '#data-plane/placement/scaling.ts'
import { createStartQueue } from '#data-plane/placement/start-queue.ts'
import { createWaitingLine, neverFits, noRoom } from '#data-plane/placement/waiting-line.ts'
import type { Environment, InitializationType, Worker, EarlyAnswer } from '#data-plane/worker/port.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Logger, Metrics } from '#observability/port.ts'

const shuttingDown = () => serviceFailure('The service is shutting down')

/** Why an environment ends, for the metrics: `memory` when it makes room for another one. */
type EndReason = 'idle' | 'age' | 'replaced' | 'memory' | 'failed' | 'shutdown'

export function createPlacement(options: {
  readonly worker: Pick<Worker, 'startEnvironment' | 'capacity'>
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly policy?: Partial<PlacementPolicy>
}): Placement {
  const { worker, clock, logger, metrics } = options
  const policy: PlacementPolicy = { ...defaultPlacementPolicy(), ...options.policy }
  const groups = createGroups(() => ({ tokens: policy.scalingBurst, at: clock.monotonic() }))
  const queue = createStartQueue()
  const slots = new Set<Slot>()
  const idle = createIdleEnvironments({ clock, policy, stop: (slot) => void stopSlot(slot, 'idle') })
  const kept = createKeptPool({
    clock,
    policy,
    stop: (slot) => void stopSlot(slot, 'idle'),
    pump: () => pump(),
    onEmpty: (group) => groups.forgetIfEmpty(group),
  })
  const line = createWaitingLine({
    clock,
    maxWaitMs: policy.maxWaitMs,
    queue,
    onLeft(group) {
      groups.forgetIfEmpty(group)
      quiet.note()
    },
  })
  const holding = createHolding({ clock, maxHoldMs: policy.maxHoldMs })
  const quiet = createQuiet({ clock, waiting: () => line.length + holding.length })
  const host = createHostLoad({ policy, capacity: () => worker.capacity() })
  let accepting = true
  let stopped = false
  /** The worker had no room although the numbers said so: nothing starts before a stopping environment is gone. */
  let refusedByWorker = false

  const isUsable = ({ stopping, gone, environment: { state } }: Slot) =>
    !stopping && !gone && state !== 'stopping' && state !== 'gone'

  const remove = (slot: Slot) => {
    if (slot.gone) return
    slot.gone = true
    idle.remove(slot)
    slots.delete(slot)
    kept.left(slot)
    const { group } = slot
    group.slots--
    host.gone(slot.memoryMiB, slot.stopping)
    refusedByWorker = false
    groups.forgetIfEmpty(group)
    pump()
  }

  const stopSlot = (slot: Slot, reason: EndReason): Promise<void> => {
    if (slot.gone) return Promise.resolve()
    if (!slot.stopping) {
      slot.stopping = true
      metrics.count('lambent_environments_ended_total', 1, { reason })
      idle.remove(slot)
      kept.left(slot)
      host.stopBegins(slot.memoryMiB)
    }
    return slot.environment.stop().catch((error: unknown) => {
      logger.error('An environment did not stop', { environment: slot.environment.id, error: String(error) })
    })
  }

  /** An environment without an invocation: the next in line takes it, or it becomes idle, or it goes. */
  const release = (slot: Slot) => {
    const { group } = slot
    // On a capacity provider others may be under way in it.
    if (slot.running > 0) return
    // One that is kept ready and would have to initialise again is replaced instead.
    if (!isUsable(slot) || (slot.kept && !slot.environment.initialised)) {
      if (slot.environment.state === 'gone') remove(slot)
      else void stopSlot(slot, 'failed')
      return
    }
    const now = clock.monotonic()
    const ageMs = now - slot.startedAt
    // A retired environment still serves those that had resolved its version before.
    const next =
      slot.kept || decideKeep({ ageMs, idleMs: 0, retired: false }, policy) === 'keep'
        ? (line.next(group) ?? holding.next(group))
        : undefined
    if (next) {
      next.resolve(run(slot, next.request))
      return
    }
    if (slot.kept && !stopped) {
      if (!kept.rest(slot)) void stopSlot(slot, 'replaced')
      return
    }
    if (stopped || decideKeep({ ageMs, idleMs: 0, retired: group.retired }, policy) === 'stop') {
      void stopSlot(slot, stopped ? 'shutdown' : group.retired ? 'replaced' : 'age')
      return
    }
    idle.add(slot, now)
    // Somebody may wait for the memory of an environment that can be reclaimed.
    if (queue.groups > 0) pump()
  }

  /** Resolves with the answer, which may come before the environment is free again. */
  const run = (slot: Slot, request: PlacementInvocation): Promise<InvocationResult> =>
    new Promise((resolve, reject) => {
      const executedVersion = request.version.version
      const onAnswer = (early: EarlyAnswer) => resolve({ ...early, executedVersion })
      runToEnd(slot, request, onAnswer).then(resolve, reject)
    })

  const runToEnd = async (
    slot: Slot,
    request: PlacementInvocation,
    onAnswer: (early: EarlyAnswer) => void,
  ): Promise<InvocationResult> => {
    const { version, invocation, logType, stream } = request
    const { group } = slot
    const before = clock.monotonic()
    quiet.begins()
    group.running++
    slot.running++
    let result: Awaited<ReturnType<Environment['invoke']>>
    try {
      const deadlineMs = clock.now() + version.timeoutSeconds * 1000
      result = await slot.environment.invoke({ ...invocation, deadlineMs }, { logType, stream, onAnswer })
    } catch (error) {
      // One that has no room now is as it was; after a fault of ours nobody knows what state it is in.
      if (isCapacityError(error)) queueMicrotask(() => release(slot))
      else {
        void stopSlot(slot, 'failed')
        logger.error('An environment failed', { environment: slot.environment.id, error: String(error) })
      }
      throw error instanceof LambdaError ? error : serviceFailure('The execution environment failed', error)
    } finally {
      group.running--
      slot.running--
      quiet.ends()
    }
    group.typicalMs = typicalAfter(group.typicalMs, clock.monotonic() - before)
    release(slot)
    return { ...result, executedVersion: version.version }
  }

  const arrive = (group: Group, environment: Environment, memoryMiB: number, isKept: boolean) => {
    const startedAt = clock.monotonic()
    const slot = newSlot({ environment, group, memoryMiB, kept: isKept, startedAt })
    slots.add(slot)
    group.slots++
    void environment.gone.then(() => remove(slot))
    if (isKept && environment.initialised) kept.arrived(slot)
    else if (isKept) {
      // It would initialise at its first invocation; nothing is gained by keeping it.
      void stopSlot(slot, 'failed')
      kept.failed(group, { kind: 'init', message: 'The initialisation of the function failed' })
      return
    }
    release(slot)
  }

  const start = async (version: FunctionVersion, type: InitializationType, waitedMs = 0) => {
    const { memoryMiB } = version
    host.startBegins(memoryMiB)
    try {
      const environment = await worker.startEnvironment(version, type, waitedMs)
      host.startEnds(memoryMiB, true)
      return { environment }
    } catch (error) {
      host.startEnds(memoryMiB, false)
      logger.warn('An environment did not start', {
        function: functionArn(version, version.version),
        error: String(error),
      })
      return { error }
    }
  }

  const begin = async (group: Group) => {
    const { version } = group
    group.starting++
    const [first] = group.waiters
    const waitedMs = first ? clock.monotonic() - first.since : 0
    const { environment, error } = await start(version, 'on-demand', waitedMs)
    group.starting--
    if (environment) arrive(group, environment, version.memoryMiB, false)
    else startFailed(group, error)
    pump()
    if (host.needsRoomAhead(version.memoryMiB, idle.count)) reclaim()
  }

  /** Starts one that is to be kept ready. */
  const beginKept = async (group: Group, type: InitializationType) => {
    const { version } = group
    kept.starting(group)
    const { environment, error } = await start(version, type)
    if (environment) arrive(group, environment, version.memoryMiB, true)
    else {
      const message = error instanceof Error ? error.message : String(error)
      kept.failed(group, { kind: isCapacityError(error) ? 'capacity' : 'platform', message })
    }
    pump()
  }

  /** Those who waited for it fail, unless room can be made and it is worth another attempt. */
  const startFailed = (group: Group, error: unknown) => {
    const inVain = waitingInVain({ waiting: group.waiters.size, starting: group.starting + group.queued })
    const victim = isCapacityError(error) && inVain > 0 ? idle.oldest : undefined
    if (victim) {
      refusedByWorker = true
      void stopSlot(victim, 'memory')
      for (let left = inVain; left > 0; left--) queue.add(group)
      return
    }
    line.reject(group, inVain, error)
  }

  /** Begins the starts that may begin now. Every pass begins, drops or postpones one, or ends the loop. */
  const pump = () => {
    if (refusedByWorker && host.stopping > 0) return
    refusedByWorker = false
    if (startForWaiting() === 'done') startKept()
  }

  const reclaim = () => {
    metrics.count('lambent_environments_reclaimed_total')
    if (idle.oldest) void stopSlot(idle.oldest, 'memory')
  }

  /** Those that are to be kept ready begin when nobody waits for anything else. */
  const startKept = () => {
    for (let group = kept.next; group?.kept && !stopped; group = kept.next) {
      const decision = host.mayStart(group.version.memoryMiB, idle.count)
      if (decision === 'wait') return
      if (decision === 'start') void beginKept(group, group.kept.target.initializationType)
      else if (decision === 'reclaim') reclaim()
      else {
        kept.starting(group)
        kept.failed(group, { kind: 'capacity', message: 'This host has no room for another environment' })
      }
    }
  }

  const startForWaiting = (): 'done' | 'wait' => {
    for (let postponed = 0; postponed < queue.groups;) {
      const group = queue.next
      if (!group || stopped) return 'wait'
      const decision = host.mayStart(group.version.memoryMiB, idle.count)
      switch (decision) {
        case 'start':
          queue.take(group)
          void begin(group)
          postponed = 0
          break
        case 'reclaim':
          reclaim()
          break
        case 'skip':
          queue.postpone(group)
          postponed++
          break
        case 'never': {
          queue.clear(group)
          const reason = neverFits(group.version.memoryMiB, worker.capacity().maxMemoryMiB)
          line.reject(group, group.waiters.size - group.starting, reason)
          break
        }
        case 'wait':
          return 'wait'
      }
    }
    return 'done'
  }

  /** One that has died since its last invocation is replaced, like one that died in it. */
  const takeReady = (group: Group): Slot | undefined => {
    let slot = kept.take(group)
    for (; slot && !(isUsable(slot) && slot.environment.initialised); slot = kept.take(group)) {
      void stopSlot(slot, 'failed')
    }
    return slot
  }

  /** On a capacity provider nothing starts for an invocation: one that finds no place is refused (developer guide). */
  const assignManaged = (group: Group, request: PlacementInvocation): Promise<InvocationResult> => {
    group.peakRunning = Math.max(group.peakRunning, group.running + 1)
    const ready = takeReady(group)
    if (ready) return run(ready, request)
    groups.forgetIfEmpty(group)
    throw noRoom()
  }

  const assign = async (group: Group, request: PlacementInvocation): Promise<InvocationResult> => {
    // It may have been held while the service was told to stop.
    if (stopped) throw shuttingDown()
    const ready = takeReady(group)
    if (ready) return run(ready, request)
    let last = group.idle.at(-1)
    while (last && !isUsable(last)) {
      idle.remove(last)
      last = group.idle.at(-1)
    }
    const assignment = decideAssignment(
      {
        idle: group.idle.length,
        waiting: group.waiters.size,
        starting: group.starting + group.queued,
      },
      policy,
    )
    if (
      assignment === 'refuse' ||
      (assignment === 'start-and-wait' && !mayScale(group.scaling, policy, clock.monotonic()))
    )
      throw noRoom()
    if (assignment === 'run' && last) {
      idle.remove(last)
      return run(last, request)
    }
    metrics.count('lambent_invocations_waited_total')
    const result = line.wait(group, request)
    if (assignment === 'start-and-wait') {
      queue.add(group)
      pump()
    }
    return result
  }

  return {
    async start() {},
    async invoke(request) {
      if (!accepting) throw shuttingDown()
      request.signal?.throwIfAborted()
      const group = groups.of(request.version, request.invocation.tenantId)
      if (request.version.managedInstances) return assignManaged(group, request)
      return decideHold(group, policy) === 'hold'
        ? holding.hold(group, request, () => assign(group, request))
        : assign(group, request)
    },
    retire(target) {
      for (const group of groups.concerned(target)) {
        group.retired = true
        if (group.kept) kept.want(group, { ...group.kept.target, count: 0 })
        for (let slot = group.idle.at(-1); slot; slot = group.idle.at(-1)) void stopSlot(slot, 'replaced')
      }
    },
    takePeak: (version) => groups.takePeak(version),
    keepReady({ version, ...target }) {
      const group = groups.of(version)
      kept.want(group, target)
      groups.forgetIfEmpty(group)
    },
    environments: () =>
      [...slots].map(({ environment: { id, version, state } }) => ({
        id,
        functionArn: functionArn(version),
        version: version.version,
        state,
        memoryMiB: version.memoryMiB,
      })),
    overview: () => ({
      waiting: line.length + holding.length,
      environments: [...slots].map(({ environment, startedAt }) => {
        const { id, version, state } = environment
        return {
          id,
          functionArn: functionArn(version, version.version),
          state,
          memoryMiB: version.memoryMiB,
          ageMs: Math.round(clock.monotonic() - startedAt),
          ...environment.usage(),
        }
      }),
    }),
    drain(deadlineMs) {
      accepting = false
      return quiet.wait(deadlineMs)
    },
    async stop() {
      accepting = false
      stopped = true
      idle.close()
      kept.close()
      for (const group of groups.all()) {
        queue.clear(group)
        line.reject(group, group.waiters.size, shuttingDown())
        holding.reject(group, shuttingDown())
      }
      await Promise.all([...slots].map((slot) => stopSlot(slot, 'shutdown')))
    },
  }
}
