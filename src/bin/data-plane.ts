/** The data plane, wired: from the front end down to the sandbox, and the asynchronous events beside it. */
import type { Socket } from 'node:net'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

import type { FilterVault } from '#contracts/filter-vault.ts'
import { createCellMap } from '#data-plane/cells/cell-map.ts'
import { createCellEvents, createCellFrontend } from '#data-plane/cells/cell-router.ts'
import { createCounting } from '#data-plane/counting/create-counting.ts'
import { feedCounting } from '#data-plane/counting/feed-counting.ts'
import { createDeliveries, type PutRecord } from '#data-plane/destinations/create-deliveries.ts'
import { createEngine } from '#data-plane/durable/create-engine.ts'
import type { CustomerKeys } from '#contracts/customer-keys.ts'
import type { ServiceCalls } from '#contracts/service-calls.ts'
import { createDurableFrontend } from '#data-plane/durable/durable-frontend.ts'
import { createDurableOperations } from '#data-plane/durable/operations.ts'
import { createDispatchGate } from '#data-plane/events/dispatch-gate.ts'
import { createEventQueues } from '#data-plane/events/event-queues.ts'
import { createCatalog } from '#data-plane/frontend/catalog.ts'
import { createFrontend } from '#data-plane/frontend/create-frontend.ts'
import { feedRetirements } from '#data-plane/frontend/retire-feed.ts'
import type { StreamingFrontend } from '#data-plane/frontend/port.ts'
import { createInvokeOperations } from '#data-plane/frontend/invoke-operations.ts'
import { createManagedInstancesScaler } from '#data-plane/managed-instances/create-scaler.ts'
import type { ManagedInstancesScaler } from '#data-plane/managed-instances/port.ts'
import { createPlacement } from '#data-plane/placement/create-placement.ts'
import type { EnvironmentSummary } from '#data-plane/placement/port.ts'
import { createProvisioning } from '#data-plane/provisioning/create-provisioning.ts'
import { createAsyncEventPoller } from '#data-plane/pollers/async-events.ts'
import type { EventSourcePollers } from '#data-plane/pollers/event-sources/event-source-pollers.ts'
import { createSettingsLookup } from '#data-plane/pollers/settings-lookup.ts'
import { runtimeSessions } from '#data-plane/runtime-api/sessions.ts'
import { selectDriver } from '#data-plane/sandbox/select-driver.ts'
import type { DriverName } from '#data-plane/sandbox/port.ts'
import { createWorker, type WorkerOptions } from '#data-plane/worker/create-worker.ts'
import type { HostResources, Worker } from '#data-plane/worker/port.ts'
import { createRuntimeFiles } from '#data-plane/worker/runtimes/runtime-files.ts'
import type { DocumentCache } from '#documents/port.ts'
import type { Membership } from '#cluster/port.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'
import { MINUTE_MS } from '#kernel/units.ts'
import type { Logger, LogSink, Metrics } from '#observability/port.ts'
import type { Store } from '#store/port.ts'
import type { OperationHandlers } from '#wire/service.ts'

import { createEventSources, type QueueSettings } from '#bin/event-sources.ts'
import { packageRoot } from '#bin/package-root.ts'

/** Events that run at once: more environments than a few per core only make each other slower. */
const ASYNC_CONCURRENCY = 4 * availableParallelism()
/** The one cell of an installation on one machine. */
const CELL = 'cell-1'
/** Queues that noisy functions get to themselves, beside the 32 that all share. */
const SIDELINE_QUEUES = 16
/** After an outage no more is done at once while this thread is busier than this. */
const MAX_UTILISATION = 0.8
/** Invocations of durable functions at once; many of them wait for something other than a core. */
const DURABLE_CONCURRENCY = 256

/** Looks at the time since it was asked last. */
function watchUtilisation(): () => boolean {
  let before = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    return utilization > MAX_UTILISATION
  }
}

export interface DataPlane extends Component {
  readonly operations: OperationHandlers
  readonly worker: Worker
  /** Keeps environments for the versions on capacity providers. */
  readonly managedInstances: ManagedInstancesScaler
  /** Polls the sources of event source mappings. */
  readonly pollers: Pick<EventSourcePollers, 'apply'>
  /** For doors of other protocols. */
  readonly frontend: StreamingFrontend
  environments(): readonly EnvironmentSummary[]
  /** Identifiers of the runtimes that this host has. */
  readyRuntimes(): Promise<ReadonlySet<string>>
  /** What one node does for all of a cluster. */
  readonly work: Readonly<Record<string, () => Component>>
  /** Carries on what nodes that are gone have left. */
  takeUp(): Promise<void>
  /** What the health path says of this plane. */
  health(): object
  /** What `lambent top` shows. */
  top(): object
}

export async function createDataPlane(options: {
  readonly store: Store
  /** Has to follow the store before the start. */
  readonly documents: DocumentCache
  /** KMS keys that functions name. */
  readonly keys: CustomerKeys
  /** Opens the variables of functions. */
  readonly environments: WorkerOptions['environments']
  readonly packageKeys: WorkerOptions['packageKeys']
  readonly filters: Pick<FilterVault, 'open'>
  /** For dead-letter queues and destinations. */
  readonly calls: ServiceCalls
  /** Writes records of failures to buckets; undefined: none exists. */
  readonly putRecord: PutRecord | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  readonly logSink: LogSink
  /** Where our own endpoint listens. */
  readonly port: number
  /** Takes a guest's connection to our endpoint from inside its network. */
  readonly acceptConnection: (socket: Socket) => void
  readonly directory: string
  readonly resources: HostResources
  readonly images: NonNullable<WorkerOptions['images']>
  /** The nodes that share the store; left out: this is the only one. */
  readonly membership?: Membership
  /** Credentials of a function's execution role; left out: fixed ones that mean nothing. */
  readonly credentials?: WorkerOptions['credentials']
  readonly settings: {
    readonly driver: 'auto' | DriverName
    readonly ociRuntime: string
    readonly criu: string
    readonly network: 'auto' | 'bridge' | 'none' | 'host'
    readonly accountConcurrency: number
    readonly maxMemoryMiB: number
    readonly poolMemoryMiB: number
    readonly idleMinutes: number
    readonly queues: QueueSettings
  }
}): Promise<DataPlane> {
  const {
    store,
    documents,
    environments,
    clock,
    random,
    logger,
    metrics,
    logSink,
    port,
    directory,
    settings,
    membership,
  } = options

  const driver = await selectDriver({
    wanted: settings.driver,
    stateDirectory: join(directory, 'sandboxes'),
    runtime: settings.ociRuntime,
    criu: settings.criu,
    ...(settings.network === 'auto' ? {} : { network: settings.network }),
    endpointPorts: () => [options.port],
    onEndpointConnection: (_port, socket) => options.acceptConnection(socket),
    clock,
    logger,
  })
  const runtimes = createRuntimeFiles({
    runtimesDirectory: join(directory, 'runtimes'),
    logger,
    path: process.env['PATH'],
  })
  const worker = createWorker({
    driver,
    sessions: runtimeSessions,
    blobs: store.blobs,
    environments,
    packageKeys: options.packageKeys,
    logSink,
    metrics,
    logger,
    clock,
    random,
    runtimes,
    cacheDirectory: join(directory, 'cache'),
    clientsDirectory: join(packageRoot, 'runtimes'),
    endpointUrl: driver.endpointFor(port),
    resources: options.resources,
    images: options.images,
    ...(options.credentials && { credentials: options.credentials }),
    limits: { maxMemoryMiB: settings.maxMemoryMiB, poolMemoryMiB: settings.poolMemoryMiB },
  })
  const placement = createPlacement({
    worker,
    clock,
    logger,
    metrics,
    policy: { idleTimeoutMs: settings.idleMinutes * MINUTE_MS },
  })
  const managedInstances = createManagedInstancesScaler({ meta: store.meta, placement, clock, logger })
  const catalog = createCatalog({ documents, random })
  const counting = createCounting({ clock, accountConcurrency: settings.accountConcurrency, metrics })
  const events = createEventQueues({
    sidelineQueues: SIDELINE_QUEUES,
    gate: createDispatchGate({
      slots: ASYNC_CONCURRENCY,
      clock,
      metrics,
      isUnderPressure: watchUtilisation(),
    }),
    queueLog: store.queueLog,
    leases: store.leases,
    clock,
    random,
    logger,
    metrics,
    ...(membership && { nodes: () => membership.size }),
  })
  const map = createCellMap([CELL])
  const cellEvents = createCellEvents({ map, cells: new Map([[CELL, events]]), metrics })
  const innerFrontend = createCellFrontend({
    map,
    frontends: new Map([
      [CELL, createFrontend({ catalog, counting, placement, events: cellEvents, clock, random })],
    ]),
  })
  const resolveVersion = catalog.resolve
  const durable = createEngine({
    keys: options.keys,
    meta: store.meta,
    frontend: innerFrontend,
    resolve: resolveVersion,
    clock,
    random,
    logger,
    concurrency: DURABLE_CONCURRENCY,
    ...(membership && { cluster: membership }),
  })
  const frontend = createDurableFrontend({
    frontend: innerFrontend,
    engine: durable,
    resolve: resolveVersion,
  })
  const poller = createAsyncEventPoller({
    queues: events,
    frontend,
    clock,
    random,
    logger,
    metrics,
    concurrency: ASYNC_CONCURRENCY,
    lookUpSettings: createSettingsLookup(documents),
    forward: cellEvents.forward,
    deliveries: createDeliveries({
      calls: options.calls,
      putRecord: options.putRecord,
      clock,
      random,
      logger,
      metrics,
    }),
  })

  const beginProvisioning = () => createProvisioning({ meta: store.meta, placement, counting, clock, logger })
  const beginEventSources = () =>
    createEventSources({
      store,
      filters: options.filters,
      frontend,
      queues: settings.queues,
      calls: options.calls,
      documents,
      concurrency: ASYNC_CONCURRENCY,
      clock,
      random,
      logger,
      metrics,
    })
  // In a cluster one node at a time does these, and each time begins anew.
  const provisioning = beginProvisioning()
  let eventSources = beginEventSources()
  const work = {
    'provisioned-concurrency': beginProvisioning,
    'event-sources': () => (eventSources = beginEventSources()),
  }

  const feeds: (() => void)[] = []
  return {
    operations: {
      ...createInvokeOperations({ frontend }),
      ...createDurableOperations({ engine: durable, meta: store.meta, random }),
    },
    worker,
    managedInstances,
    frontend,
    pollers: { apply: (mapping) => eventSources.apply(mapping) },
    work,
    takeUp: () => durable.takeUpLost(),
    environments: () => placement.environments(),
    readyRuntimes: async () => {
      const all = await runtimes.list()
      return new Set(all.filter(({ state }) => state === 'ready').map(({ runtime }) => runtime.identifier))
    },
    top: () => {
      const { memoryMiB, maxMemoryMiB } = worker.capacity()
      return {
        at: clock.now(),
        driver: driver.report.driver,
        memory: { promisedMiB: memoryMiB, maxMiB: maxMemoryMiB },
        ...placement.overview(),
        asyncEvents: events.depth(),
        pools: worker.pools(),
        starts: worker.starts(),
      }
    },
    health: () => ({
      driver: driver.report.driver,
      enforced: Object.fromEntries(
        Object.entries(driver.report).flatMap(([name, value]) =>
          typeof value === 'object' ? [[name, value.enforced]] : [],
        ),
      ),
      environments: placement.environments().length,
      pools: worker.pools(),
      asyncEvents: events.depth(),
      ...(membership && { asyncQueues: events.owned }),
      polledMappings: eventSources.polled,
    }),
    async start() {
      await worker.start()
      await placement.start()
      feeds.push(await feedCounting(store.meta, counting), await feedRetirements(store.meta, placement))
      if (!membership) await provisioning.start()
      await managedInstances.start()
      await events.start()
      await poller.start()
      await durable.start()
      if (!membership) await eventSources.start()
    },
    async drain(deadlineMs) {
      await Promise.all([eventSources.drain(deadlineMs), poller.drain(deadlineMs), durable.drain(deadlineMs)])
      await events.drain(deadlineMs)
      await placement.drain(deadlineMs)
    },
    async stop() {
      await eventSources.stop()
      await durable.stop()
      await poller.stop()
      await events.stop()
      await provisioning.stop()
      await managedInstances.stop()
      await placement.stop()
      await worker.stop()
      for (const stopFeed of feeds) stopFeed()
    },
  }
}
