/**
 * What the store keeps of a function. Two documents per function share these types: the head (everything that
 * belongs to the function as a whole, with its unpublished version) and one frozen document per published version.
 * The control plane writes them, the data plane only reads them.
 */
import type { FunctionId } from '#contracts/arn.ts'
import type { ManagedInstances } from '#contracts/capacity-provider.ts'
import type { CodeSignature } from '#contracts/code-signing.ts'
import type { PackageEncryption } from '#contracts/package-keys.ts'
import type { DurableSettings } from '#contracts/durable.ts'

/** Source: enum State of the Lambda API model. */
export type FunctionState =
  | 'Pending'
  | 'Active'
  | 'Inactive'
  | 'Failed'
  | 'Deactivating'
  | 'Deactivated'
  | 'ActiveNonInvocable'
  | 'Deleting'
export type LastUpdateStatus = 'Successful' | 'Failed' | 'InProgress'
export type Architecture = 'x86_64' | 'arm64'
export type LogFormat = 'Text' | 'JSON'

/** A code package in the blob store. */
export interface CodePackage {
  /** Key in the blob store: the SHA-256 of the zip, 64 lower-case hexadecimal digits. */
  readonly blob: string
  /** The same digest as AWS writes it: base64. */
  readonly codeSha256: string
  readonly sizeBytes: number
  /** What the archive holds when it is unpacked; the limit counts it together with the layers. */
  readonly unzippedBytes?: number
  /** Undefined: it is not signed. */
  readonly signature?: CodeSignature
  /** The blob is the package encrypted, and has another digest and 28 bytes more. */
  readonly encryption?: PackageEncryption
  /** Present: it belongs to this object of its owner's bucket (S3ObjectStorageMode REFERENCE). */
  readonly reference?: { readonly bucket: string; readonly key: string; readonly version: string }
}

/** A layer version as one function version refers to it. Merge order is list order: a later layer wins. */
export interface AttachedLayer {
  readonly arn: string
  readonly codeSizeBytes: number
  readonly blob: string
  /** Of its package; undefined: it is not signed. */
  readonly signature?: CodeSignature
  readonly unzippedBytes?: number
}

/** A container image as one function version refers to it. */
export interface ContainerImage {
  /** As the request named it. */
  readonly uri: string
  /** The same with the digest of its manifest instead of a tag; absent until somebody has looked it up. */
  readonly resolvedUri?: string
}

/** What replaces the image's own settings. Empty lists and texts are not kept. */
export interface ImageOverrides {
  readonly entryPoint?: readonly string[]
  readonly command?: readonly string[]
  readonly workingDirectory?: string
}

/** A directory that outlives environments and is shared by them: an access point of EFS or of S3 Files. */
export interface FileSystemMount {
  /** ARN of the access point. */
  readonly arn: string
  /** Where the guest sees it: `/mnt/...`. */
  readonly localMountPath: string
  /** Of S3 Files only. */
  readonly directS3Read?: string
}

export interface LoggingConfig {
  readonly format: LogFormat
  readonly group: string
  readonly applicationLevel?: string
  readonly systemLevel?: string
}

/** Everything that publishing freezes, and that an execution environment needs to know. */
export interface FunctionVersion extends FunctionId {
  /** `$LATEST`, `$LATEST.PUBLISHED` or a decimal number. */
  readonly version: string
  readonly packageType: 'Zip' | 'Image'
  readonly runtime?: string
  readonly handler?: string
  readonly role: string
  readonly description: string
  readonly timeoutSeconds: number
  readonly memoryMiB: number
  readonly ephemeralStorageMiB: number
  readonly architecture: Architecture
  /** Of package type Image: no blob, no size, and the digest of the image (hexadecimal, as AWS has it) or nothing. */
  readonly code: CodePackage
  /** With package type Image only. */
  readonly image?: ContainerImage
  readonly imageOverrides?: ImageOverrides
  readonly layers: readonly AttachedLayer[]
  /** The JSON of the variables, sealed (see kernel/sealed.ts) under the context `environmentContext(id)`. */
  readonly sealedEnvironment?: string
  readonly kmsKeyArn?: string
  readonly logging: LoggingConfig
  readonly tracingMode: 'Active' | 'PassThrough'
  readonly deadLetterArn?: string
  /** Present once it was ever configured; empty lists mean that the function was taken out of its VPC again. */
  readonly vpc?: {
    readonly subnetIds: readonly string[]
    readonly securityGroupIds: readonly string[]
    /** Empty without subnets. */
    readonly vpcId: string
    readonly ipv6AllowedForDualStack?: boolean
  }
  /** Absent: none. AWS allows one. */
  readonly fileSystems?: readonly FileSystemMount[]
  readonly snapStart: 'PublishedVersions' | 'None'
  /** Present: every invocation names a tenant, and no environment ever serves two of them. */
  readonly tenantIsolation?: 'PER_TENANT'
  /** Present: its invocations start durable executions. */
  readonly durable?: DurableSettings
  /** Present: it runs on a capacity provider, several invocations at once in each environment. */
  readonly managedInstances?: ManagedInstances
  readonly state: FunctionState
  readonly stateReason?: string
  readonly stateReasonCode?: string
  readonly lastUpdateStatus?: LastUpdateStatus
  readonly lastUpdateStatusReason?: string
  readonly lastUpdateStatusReasonCode?: string
  readonly revisionId: string
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number
  /**
   * Changes whenever an environment started before must not be used any more: new code, new configuration.
   * A state change alone keeps it, so that Pending -> Active does not throw environments away.
   */
  readonly generation: string
}

/**
 * The document of a published version. Only `$LATEST.PUBLISHED` is ever written again; until what was published last is
 * prepared, and when that fails, invocations run what `serving` holds.
 */
export interface PublishedVersion extends FunctionVersion {
  readonly serving?: FunctionVersion
}

/** What a head says of concurrency. */
export type FunctionLimits = Pick<FunctionHead, 'reservedConcurrency' | 'provisionedConcurrency'>

/** The head document: the function as a whole. */
export interface FunctionHead extends FunctionId {
  readonly latest: FunctionVersion
  /**
   * What invocations of `$LATEST` run instead of `latest` while an update of it is in progress, and after an update that
   * failed: the last version of the configuration that worked. Absent: they run `latest`.
   */
  readonly serving?: FunctionVersion
  readonly createdAt: number
  /** Number the next published version gets; never reused, also not after a version is deleted. */
  readonly nextVersion: number
  /** What was published last: publishing the same content again gives that version back. */
  readonly lastPublished?: { readonly version: string; readonly contentDigest: string }
  readonly tags: Readonly<Record<string, string>>
  /** Undefined: the function shares the account's unreserved concurrency. 0: it is never invoked. */
  readonly reservedConcurrency?: number
  /** Sum of the provisioned concurrency of its versions and aliases; undefined: 0. */
  readonly provisionedConcurrency?: number
  /** What happens to recursive invocations; undefined: they are stopped. */
  readonly recursiveLoop?: 'Allow'
  /** Code signing configuration that deployments have to satisfy. */
  readonly codeSigningConfigId?: string
}

export interface Alias extends FunctionId {
  readonly alias: string
  readonly version: string
  readonly description: string
  /** At most one further version, with the share of requests (0..1) that it gets. */
  readonly additionalVersion?: { readonly version: string; readonly weight: number }
  /**
   * It has provisioned concurrency and was pointed to `version`, whose environments initialise: until they have, the
   * additional version is the one it served before, with all of the requests.
   */
  readonly moving?: true
  readonly revisionId: string
}

/** How asynchronous invocations of one qualifier of a function are treated. */
export interface EventInvokeConfig extends FunctionId {
  /** `$LATEST`, a version number or the name of an alias. */
  readonly qualifier: string
  /** 0 to 2; undefined: 2. */
  readonly maximumRetryAttempts?: number
  /** 60 to 21,600; undefined: 21,600. */
  readonly maximumEventAgeSeconds?: number
  readonly onSuccessArn?: string
  readonly onFailureArn?: string
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number
}

/** How one version, or `$LATEST`, follows the updates of its runtime. */
export interface RuntimeManagement extends FunctionId {
  readonly version: string
  readonly updateRuntimeOn: 'Auto' | 'FunctionUpdate' | 'Manual'
  /** With `Manual` only. */
  readonly runtimeVersionArn?: string
}

/** Binds a function's sealed environment to the function, so that it can't be moved to another one. */
export const environmentContext = (id: FunctionId) => `env/${id.account}/${id.region}/${id.name}`

/** What names the image of a version for good; undefined for a version that has none. */
export const imageKeyOf = ({ image, architecture }: Pick<FunctionVersion, 'image' | 'architecture'>) =>
  image?.resolvedUri === undefined ? undefined : { resolvedUri: image.resolvedUri, architecture }

/** The version that invocations of `$LATEST` run now. */
export const servingVersion = (head: FunctionHead): FunctionVersion => head.serving ?? head.latest

/** The version that invocations of a published version run now. */
export const servingPublished = (published: PublishedVersion): FunctionVersion =>
  published.serving ?? published
