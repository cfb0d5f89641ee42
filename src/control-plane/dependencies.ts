/** What the operations are made of. */
import type { EnvironmentVault } from '#contracts/environment-vault.ts'
import type { FilterVault } from '#contracts/filter-vault.ts'
import type { PackageKeys } from '#contracts/package-keys.ts'
import type { Images } from '#images/port.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'

import type { FunctionScalingDriver } from './capacity-providers/function-scaling.ts'
import type { ProviderLifecycle } from './capacity-providers/provider-lifecycle.ts'
import type { Committer } from './commit.ts'
import type { Documents } from './documents.ts'
import type { Activation } from './functions/activation.ts'
import type { Stamp } from './functions/configuration.ts'
import type { MappingProgress } from './mappings/mapping-progress.ts'
import type {
  CodeStore,
  ExecutionRoles,
  HostResources,
  ImageReaders,
  KeyReaders,
  LayerResolver,
} from './port.ts'
import type { UrlName } from './urls/url-name.ts'

/** Each operation takes the few of these that it names. */
export interface Dependencies {
  readonly documents: Documents
  readonly committer: Committer
  readonly activation: Activation
  readonly mappingProgress: MappingProgress
  readonly providerLifecycle: ProviderLifecycle
  readonly scaling: FunctionScalingDriver
  readonly codeStore: CodeStore
  readonly images: Pick<Images, 'resolve'>
  /** Absent: everybody may read every image. */
  readonly imageReaders?: ImageReaders | undefined
  readonly layers: LayerResolver
  readonly hostResources: HostResources
  readonly environments: EnvironmentVault
  readonly filters: FilterVault
  readonly packageKeys: PackageKeys
  /** Absent: who may read a function may read its variables, whatever key they rest under. */
  readonly keyReaders?: KeyReaders | undefined
  /** Absent: nobody asks for roles, and any will do. */
  readonly roles?: ExecutionRoles | undefined
  readonly clock: Clock
  readonly random: Random
  /** Concurrency of the account and region. */
  readonly accountConcurrency: number
  /** What function URLs look like. */
  readonly urlName: UrlName
}

/** Moment, revision and generation of a change of code or configuration. */
export const newStamp = ({ clock, random }: Pick<Dependencies, 'clock' | 'random'>): Stamp => ({
  now: clock.now(),
  revisionId: random.uuid(),
  generation: random.uuid(),
})
