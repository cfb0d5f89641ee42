/** What the control plane needs from others. Everything here throws AWS-shaped `LambdaError`s. */
import type { FunctionId, Scope } from '#contracts/arn.ts'
import type { PackageSealing } from '#contracts/package-keys.ts'
import type { ScalingLimits } from '#contracts/capacity-provider.ts'
import type { AttachedLayer, CodePackage, FunctionVersion } from '#contracts/function.ts'
import type { EventSourceMapping } from '#contracts/mapping.ts'
import type { TargetRequest } from '#contracts/outcome-target.ts'
import type { Subnets } from '#contracts/network.ts'
import type { Principal } from '#wire/service.ts'

export interface BucketSource {
  readonly bucket: string
  readonly key: string
  readonly version?: string
}

/** Says which roles Lambda may act as. */
export interface ExecutionRoles {
  mayAssume(roleArn: string, id: FunctionId): Promise<boolean>
  /** Whether a function that acts as the role may make this request. */
  mayRequest(roleArn: string, id: FunctionId, request: TargetRequest): Promise<boolean>
}

/** Says whose keys a caller may decrypt with. */
export interface KeyReaders {
  /** Throws AccessDeniedException, with the words that KMS has for it. */
  assertMayDecrypt(caller: Principal, region: string, kmsKeyArn: string): Promise<void>
}

/** Says whose images a caller may make functions of. */
export interface ImageReaders {
  /** True for the images of registries that are not ours. */
  mayRead(caller: Principal, uri: string): Promise<boolean>
}

/** Keeps deployment packages. */
export interface CodeStore {
  /** Checks the archive and stores it; durable when it resolves. Refuses what is no zip or too large. */
  fromZip(
    zip: Uint8Array,
    sealing?: PackageSealing,
  ): Promise<CodePackage & { readonly unzippedBytes: number }>
  /** The same for an object of a bucket. */
  fromBucket(
    source: BucketSource,
    sealing?: PackageSealing,
  ): Promise<CodePackage & { readonly unzippedBytes: number }>
  /**
   * A URL that downloads the package without further credentials, for a limited time. `key` opens an encrypted one.
   */
  location(pkg: CodePackage, context: { readonly endpoint: string; readonly key?: Uint8Array }): string
}

/** What of this host stands for resources that AWS's other services own. */
export interface HostResources {
  readonly subnets: Subnets
  /** Whether an access point (of EFS or of S3 Files) stands for a directory here. */
  hasFileSystem(arn: string): boolean
}

/** Turns layer version ARNs into what a function keeps of them. */
export interface LayerResolver {
  /** Refuses unknown layers, more than five, and two versions of one layer. The answer is in the order of `arns`. */
  resolve(
    arns: readonly string[],
    scope: Scope,
  ): Promise<readonly (AttachedLayer & { readonly unzippedBytes: number })[]>
}

/** Makes a version ready to be started. The function is Pending, or its update in progress, until this resolves. */
export interface Preparer {
  /** Rejects with a `LambdaError` whose code names what is wrong; the function fails with it. */
  prepare(version: FunctionVersion): Promise<void>
}

/** Whoever polls the sources of event source mappings. They read the mappings themselves, from the store's change feed. */
export interface MappingPollers {
  /**
   * Resolves when polling does what the mapping says: has begun, has ended and let go of its records, or has taken up
   * the new settings. The mapping is on its way (Creating, Updating, ...) until then. Rejects when it is to be asked again.
   */
  apply(mapping: EventSourceMapping): Promise<void>
}

/** Keeps environments ready for the versions on capacity providers. */
export interface ManagedCapacity {
  /**
   * Resolves when the version has the environments that `limits` ask for, and no more than they allow; with
   * `required` given, when so many are ready and there is no room for the rest. From then on they are kept.
   * Rejects with a `LambdaError` whose code names what is wrong.
   */
  apply(
    version: FunctionVersion,
    limits: ScalingLimits,
    options?: { readonly required: number },
  ): Promise<void>
}
