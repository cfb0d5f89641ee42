/**
 * Keeps runtimes booted ahead of the functions that will need them. Whoever finds none ready has one booted for it and
 * takes whichever is ready first. One that was given away never comes back.
 */
import type { BootedSandbox } from '#data-plane/worker/pool/boot-sandbox.ts'
import type { PoolReport } from '#data-plane/worker/port.ts'
import type { PoolShape } from '#data-plane/worker/pool/pool-shape.ts'
import type { RememberedShape } from '#data-plane/worker/pool/remembered-demand.ts'
import {
  allot,
  demandAfterHearsay,
  demandAfterTake,
  nextStep,
  noDemand,
  wantedReady,
  type Demand,
} from '#data-plane/worker/pool/pool-policy.ts'
import type { Clock } from '#kernel/clock.ts'
import { MINUTE_MS } from '#kernel/units.ts'
import type { Logger, Metrics } from '#observability/port.ts'

export interface Pool {
  /** There is a function of this shape: its first invocation may come soon. `peak`: how many were wanted at a time. */
  expect(shape: PoolShape, peak?: number): void
  /** The caller owns what it gets. Resolves with undefined when none could be booted. */
  take(shape: PoolShape): Promise<BootedSandbox | undefined>
  report(): readonly PoolReport[]
  /** Ends what waits; boots under way end with their sandbox driver. */
  stop(): Promise<void>
}

export interface PoolOptions {
  readonly boot: (shape: PoolShape, background: boolean) => Promise<BootedSandbox>
  /** Memory for what waits, MiB. */
  readonly maxMemoryMiB: number
  /** Boots ahead of demand at a time. */
  readonly builders: number
  /** True while somebody waits for a core: then nothing boots ahead. */
  readonly isBusy: () => boolean
  /** Keeps what is wanted over a restart. */
  readonly remember: (shapes: readonly RememberedShape[]) => void
  readonly clock: Clock
  readonly metrics: Metrics
  readonly logger: Logger
}

/** Measured, with some room: what one that waits holds beyond shared pages, MiB. */
const sizeOf = ({ runtime: { family }, isRich }: PoolShape) =>
  (family === 'nodejs' ? 12 : 7) + (isRich ? 8 : 0)

const LOOK_AGAIN_MS = 50
/** On a host that is never idle the pool is made up for all the same, this slowly. */
const PATIENCE_MS = 2000
/** What is wanted falls with time even when nothing happens. */
const REVIEW_MS = MINUTE_MS
const RETRY_AFTER_FAILURE_MS = 30_000
/** Shapes beyond this many: those heard of longest ago are forgotten. */
const MAX_SHAPES = 64

interface Shelf {
  readonly shape: PoolShape
  readonly ready: BootedSandbox[]
  readonly waiting: ((booted: BootedSandbox | undefined) => void)[]
  demand: Demand
  /** Boots that somebody waits for, and those ahead of demand. */
  demanded: number
  ahead: number
  hits: number
  misses: number
  /** After a failed boot nothing boots ahead before this moment. */
  pausedUntil: number
}

export function createPool(options: PoolOptions): Pool {
  const { boot, clock, metrics, logger } = options
  const shelves = new Map<string, Shelf>()
  let stopped = false
  let builders = 0
  /** Since when a boot ahead waits for the machine to be less busy. */
  let deferredSince: number | undefined
  let cancelLook: (() => void) | undefined

  const labels = ({ shape: { runtime, memoryMiB, isRich } }: Shelf) => ({
    runtime: runtime.identifier,
    memory: String(memoryMiB),
    rich: String(isRich),
  })
  const gauge = (shelf: Shelf) => metrics.gauge('lambent_pool_ready', shelf.ready.length, labels(shelf))

  const shelfOf = (shape: PoolShape): Shelf => {
    const known = shelves.get(shape.key)
    if (known) return known
    const shelf: Shelf = {
      shape,
      ready: [],
      waiting: [],
      demand: noDemand(clock.monotonic()),
      demanded: 0,
      ahead: 0,
      hits: 0,
      misses: 0,
      pausedUntil: 0,
    }
    shelves.set(shape.key, shelf)
    forgetSome()
    remember()
    return shelf
  }

  function remember(): void {
    options.remember(
      [...shelves.values()].map(({ shape, demand }) => ({
        runtime: shape.runtime.identifier,
        memoryMiB: shape.memoryMiB,
        isRich: shape.isRich,
        peak: Math.round(demand.peak),
      })),
    )
  }

  const destroy = (booted: BootedSandbox) =>
    booted.destroy().catch((error: unknown) => {
      logger.error('A sandbox of the pool was not removed cleanly', { error: String(error) })
    })

  const put = (shelf: Shelf, booted: BootedSandbox) => {
    const next = shelf.waiting.shift()
    if (next) return next(booted)
    if (stopped) return void destroy(booted)
    shelf.ready.push(booted)
    gauge(shelf)
    // One that ends while it waits is of no use, and its end says that something is wrong with it.
    void booted.guest.exited.then(() => {
      const at = shelf.ready.indexOf(booted)
      if (at < 0) return
      shelf.ready.splice(at, 1)
      shelf.pausedUntil = clock.monotonic() + RETRY_AFTER_FAILURE_MS
      gauge(shelf)
      void destroy(booted)
      lookIn(RETRY_AFTER_FAILURE_MS)
    })
  }

  const bootFor = async (shelf: Shelf, background: boolean) => {
    const kind = background ? 'ahead' : 'demanded'
    shelf[kind]++
    try {
      put(shelf, await boot(shelf.shape, background))
    } catch (error) {
      if (stopped) return
      shelf.pausedUntil = clock.monotonic() + RETRY_AFTER_FAILURE_MS
      const { runtime } = shelf.shape
      logger.warn('A runtime did not boot ahead of its function', { runtime: runtime.identifier, error })
      // Whoever waits for it starts one of its own, and learns there what is wrong.
      if (!background) shelf.waiting.shift()?.(undefined)
    } finally {
      shelf[kind]--
    }
  }

  function forgetSome(): void {
    if (shelves.size <= MAX_SHAPES) return
    const oldest = [...shelves.values()]
      .filter(({ waiting, demanded, ahead }) => waiting.length + demanded + ahead === 0)
      .toSorted((a, b) => a.demand.seenAt - b.demand.seenAt)
    for (const shelf of oldest.slice(0, shelves.size - MAX_SHAPES)) {
      for (const booted of shelf.ready.splice(0)) void destroy(booted)
      gauge(shelf)
      shelves.delete(shelf.shape.key)
    }
  }

  const allotted = (now: number) =>
    allot(
      [...shelves.values()].map((shelf) => ({
        key: shelf.shape.key,
        wanted: wantedReady(shelf.demand, now),
        sizeMiB: sizeOf(shelf.shape),
        seenAt: shelf.demand.seenAt,
      })),
      options.maxMemoryMiB,
    )

  const decide = () => {
    const now = clock.monotonic()
    const shares = allotted(now)
    return nextStep(
      [...shelves.values()].map(({ shape: { key }, ready, ahead, pausedUntil }) => ({
        key,
        ready: ready.length,
        coming: ahead,
        // What can't boot is not asked for again at once; what is there already stays.
        allotted: pausedUntil > now ? Math.min(ready.length, shares.get(key) ?? 0) : (shares.get(key) ?? 0),
      })),
    )
  }

  /** Drops and boots until everything is as it should be, or somebody else needs the machine more. */
  const look = () => {
    cancelLook?.()
    cancelLook = undefined
    if (stopped) return
    while (builders < options.builders) {
      const step = decide()
      if (step.do === 'nothing') {
        remember()
        return lookIn(REVIEW_MS)
      }
      const shelf = shelves.get(step.key)
      if (!shelf) return
      if (step.do === 'drop') {
        const booted = shelf.ready.shift()
        gauge(shelf)
        if (booted) void destroy(booted)
        continue
      }
      if (options.isBusy()) {
        const now = clock.monotonic()
        deferredSince ??= now
        if (now - deferredSince < PATIENCE_MS) return lookIn(LOOK_AGAIN_MS)
      }
      deferredSince = undefined
      builders++
      void bootFor(shelf, true).finally(() => {
        builders--
        look()
      })
    }
  }
  function lookIn(delayMs: number): void {
    if (stopped) return
    cancelLook?.()
    cancelLook = clock.after(delayMs, look)
  }

  return {
    expect(shape, peak = 0) {
      const shelf = shelfOf(shape)
      shelf.demand = demandAfterHearsay(shelf.demand, peak, clock.monotonic())
      lookIn(0)
    },
    take(shape) {
      const shelf = shelfOf(shape)
      shelf.demand = demandAfterTake(shelf.demand, clock.monotonic())
      // Not at once: the start that this is for comes first.
      lookIn(LOOK_AGAIN_MS)
      const booted = stopped ? undefined : shelf.ready.shift()
      if (booted) {
        shelf.hits++
        metrics.count('lambent_pool_hits_total', 1, labels(shelf))
        gauge(shelf)
        return Promise.resolve(booted)
      }
      if (stopped) return Promise.resolve(undefined)
      shelf.misses++
      metrics.count('lambent_pool_misses_total', 1, labels(shelf))
      return new Promise((resolve) => {
        shelf.waiting.push(resolve)
        void bootFor(shelf, false)
      })
    },
    report() {
      const shares = allotted(clock.monotonic())
      return [...shelves.values()].map(({ shape, ready, hits, misses }) => ({
        runtime: shape.runtime.identifier,
        memoryMiB: shape.memoryMiB,
        rich: shape.isRich,
        ready: ready.length,
        wanted: shares.get(shape.key) ?? 0,
        hits,
        misses,
      }))
    },
    async stop() {
      stopped = true
      cancelLook?.()
      for (const shelf of shelves.values()) for (const give of shelf.waiting.splice(0)) give(undefined)
      const ready = [...shelves.values()].flatMap((shelf) => shelf.ready.splice(0))
      await Promise.all(ready.map(destroy))
    },
  }
}
