/** The control plane of Lambda, wired to its store and to whoever prepares functions. */
import { join } from 'node:path'

import { createBlobSweeper } from '#control-plane/artifacts/blob-sweeper.ts'
import type { BucketReader } from '#control-plane/artifacts/bucket-reader.ts'
import { createCodeDownload, type CodeDownload } from '#control-plane/artifacts/code-download.ts'
import { createCodeLinks } from '#control-plane/artifacts/code-link.ts'
import { createCodeStore } from '#control-plane/artifacts/code-store.ts'
import {
  createFunctionScalingDriver,
  withManagedInstances,
} from '#control-plane/capacity-providers/function-scaling.ts'
import { createProviderLifecycle } from '#control-plane/capacity-providers/provider-lifecycle.ts'
import { trustedRoots } from '#control-plane/code-signing/signature-records.ts'
import { createImageSweeper } from '#control-plane/artifacts/image-sweeper.ts'
import { createCommitter } from '#control-plane/commit.ts'
import { createActivation } from '#control-plane/functions/activation.ts'
import { createAliasMoves } from '#control-plane/concurrency/alias-moves.ts'
import { createDocuments } from '#control-plane/documents.ts'
import { createLambdaOperations } from '#control-plane/api/operations.ts'
import { createLayerResolver } from '#control-plane/layers/layer-resolver.ts'
import { createLayerOperations } from '#control-plane/layers/operations.ts'
import { createMappingProgress } from '#control-plane/mappings/mapping-progress.ts'
import type { PackageKeys } from '#contracts/package-keys.ts'
import type { EnvironmentVault } from '#contracts/environment-vault.ts'
import type { FilterVault } from '#contracts/filter-vault.ts'
import type {
  ExecutionRoles,
  HostResources,
  ImageReaders,
  KeyReaders,
  ManagedCapacity,
  MappingPollers,
  Preparer,
} from '#control-plane/port.ts'
import type { ImageKey, Images } from '#images/port.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'
import type { Logger } from '#observability/port.ts'
import { verifyPackage } from '#signatures/verify-package.ts'
import type { Store } from '#store/port.ts'
import type { OperationHandlers } from '#wire/service.ts'

export interface LambdaControl extends Component {
  readonly operations: OperationHandlers
  readonly codeDownload: CodeDownload
  /** What one node does for all of a cluster. */
  readonly work: Readonly<Record<string, () => Component>>
  /** Carries on what another node has left on its way. */
  takeUp(): Promise<void>
}

export function createLambdaControl(options: {
  readonly store: Store
  readonly environments: EnvironmentVault
  readonly filters: FilterVault
  readonly packageKeys: PackageKeys
  readonly roles: ExecutionRoles | undefined
  readonly keyReaders: KeyReaders | undefined
  readonly imageReaders: ImageReaders | undefined
  /** Signs the links of code packages. */
  readonly key: Uint8Array
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly preparer: Preparer
  readonly images: Images
  /** Images of environments that run. */
  readonly runningImages: () => readonly ImageKey[]
  readonly pollers: MappingPollers
  readonly capacity: ManagedCapacity
  readonly hostResources: HostResources
  readonly directory: string
  readonly accountConcurrency: number
  /** For how long packages are kept that nothing refers to any more. */
  readonly unusedCodeMs: number
  /** Form of function URLs; empty: derived from the request. */
  readonly functionUrl: string
  /** Undefined: no bucket exists. */
  readonly bucket: BucketReader | undefined
  /** Whether others share the store; then it does only what every node does. */
  readonly isShared: boolean
}): LambdaControl {
  const { store, key, clock, random, logger, preparer, directory, accountConcurrency, bucket } = options
  const { functionUrl, unusedCodeMs, pollers, hostResources, images } = options
  const { meta, blobs } = store
  const codeStore = createCodeStore({
    blobs,
    links: createCodeLinks({ key, clock }),
    bucket,
    verifySignature: (zip) => verifyPackage(zip, () => trustedRoots(meta)),
    temporaryDirectory: join(directory, 'incoming'),
    clock,
  })
  const providerLifecycle = createProviderLifecycle({ meta, clock, logger })
  const scaling = createFunctionScalingDriver({ meta, capacity: options.capacity, clock, random, logger })
  const activation = createActivation({
    meta,
    preparer: withManagedInstances(preparer, scaling),
    clock,
    random,
    logger,
  })
  const committer = createCommitter(meta)
  const aliasMoves = createAliasMoves({
    meta,
    documents: createDocuments(meta),
    committer,
    random,
    logger,
  })
  const createSweeper = () => createBlobSweeper({ meta, blobs, clock, logger, graceMs: unusedCodeMs })
  const imageSweeper = createImageSweeper({
    meta,
    images,
    running: options.runningImages,
    clock,
    logger,
  })
  const mappingProgress = createMappingProgress({ meta, pollers, clock, logger })
  const progress = [activation, providerLifecycle, scaling, mappingProgress]
  const components = [...progress, aliasMoves, ...(options.isShared ? [] : [createSweeper()]), imageSweeper]
  return {
    operations: {
      ...createLambdaOperations({
        meta,
        activation,
        mappingProgress,
        providerLifecycle,
        scaling,
        codeStore,
        images,
        layers: createLayerResolver({ meta }),
        hostResources,
        environments: options.environments,
        filters: options.filters,
        packageKeys: options.packageKeys,
        roles: options.roles,
        keyReaders: options.keyReaders,
        imageReaders: options.imageReaders,
        clock,
        random,
        accountConcurrency,
        functionUrl,
      }),
      ...createLayerOperations({ meta, code: codeStore, committer, clock, random }),
    },
    codeDownload: createCodeDownload({ blobs, key, clock }),
    work: { 'unused-packages': createSweeper },
    async takeUp() {
      for (const component of progress) await component.start()
    },
    async start() {
      for (const component of components) await component.start()
    },
    async drain(deadlineMs) {
      await Promise.all(components.map((component) => component.drain(deadlineMs)))
    },
    async stop() {
      for (const component of components.toReversed()) await component.stop()
    },
  }
}
