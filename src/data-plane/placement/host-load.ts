/** What of this host is taken: places and memory, those of environments that start or stop included. */
import { LambdaError } from '#contracts/errors.ts'
import { decideRoomAhead, decideStart, type StartDecision } from '#data-plane/placement/decide.ts'
import type { PlacementPolicy } from '#data-plane/placement/policy.ts'
import type { WorkerCapacity } from '#data-plane/worker/port.ts'

/** How the worker says that it has no room; anything else is wrong with the function or the host. */
export const isCapacityError = (error: unknown) => error instanceof LambdaError && error.status === 429

export interface HostLoad {
  /** Whether an environment of `memoryMiB` may start now; `idle` environments could be stopped for it. */
  mayStart(memoryMiB: number, idle: number): StartDecision
  /** Whether one of them is to be stopped, so that the next environment of that size finds room. */
  needsRoomAhead(memoryMiB: number, idle: number): boolean
  startBegins(memoryMiB: number): void
  /** The environment is there, or its start has failed. */
  startEnds(memoryMiB: number, arrived: boolean): void
  stopBegins(memoryMiB: number): void
  /** It is gone, and was stopping or not. */
  gone(memoryMiB: number, wasStopping: boolean): void
  readonly stopping: number
}

export function createHostLoad(options: {
  readonly policy: PlacementPolicy
  readonly capacity: () => WorkerCapacity
}): HostLoad {
  const { policy, capacity } = options
  let startingNow = 0
  let arrived = 0
  let usedMiB = 0
  let stopping = 0
  let stoppingMiB = 0
  const stateWith = (idle: number) => {
    const { memoryMiB: promisedMiB, maxMemoryMiB } = capacity()
    return {
      startingNow,
      environments: arrived + startingNow,
      // Whichever is worse: the worker may hold memory that placement did not ask for.
      usedMiB: Math.max(usedMiB, promisedMiB),
      maxMiB: maxMemoryMiB,
      stopping,
      stoppingMiB,
      idle,
    }
  }
  return {
    mayStart: (memoryMiB, idle) => decideStart(stateWith(idle), memoryMiB, policy),
    needsRoomAhead: (memoryMiB, idle) => decideRoomAhead(stateWith(idle), memoryMiB, policy),
    startBegins(memoryMiB) {
      startingNow++
      usedMiB += memoryMiB
    },
    startEnds(memoryMiB, isThere) {
      startingNow--
      if (isThere) arrived++
      else usedMiB -= memoryMiB
    },
    stopBegins(memoryMiB) {
      stopping++
      stoppingMiB += memoryMiB
    },
    gone(memoryMiB, wasStopping) {
      arrived--
      usedMiB -= memoryMiB
      if (!wasStopping) return
      stopping--
      stoppingMiB -= memoryMiB
    },
    get stopping() {
      return stopping
    },
  }
}
