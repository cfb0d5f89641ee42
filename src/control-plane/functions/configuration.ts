/** A function's configuration: defaults, limits, and what a request changes. Pure. */
import { LATEST, type FunctionId } from '#contracts/arn.ts'
import { invalidParameter } from '#contracts/errors.ts'
import type { AttachedLayer, CodePackage, FunctionVersion } from '#contracts/function.ts'
import { MAX_UNZIPPED_BYTES } from '#contracts/limits.ts'

import { readDeadLetter, type DeadLetterRequest } from './dead-letter.ts'
import { changedDurable, type DurableRequest } from './durable.ts'
import { assertReachable } from './file-systems.ts'
import { readOverrides, type ImageConfigRequest } from './image.ts'
import { changedLogging, defaultLogging, type LoggingRequest } from './logging.ts'
import { assertRuntime } from './runtimes.ts'
import { assertSnapStart } from './snap-start.ts'
import { CREATING } from './state.ts'

/** The members that CreateFunction and UpdateFunctionConfiguration have in common; undefined leaves things as they are. */
export interface ConfigurationRequest {
  readonly Runtime?: string | undefined
  readonly Handler?: string | undefined
  readonly Role?: string | undefined
  readonly Description?: string | undefined
  readonly Timeout?: number | undefined
  readonly MemorySize?: number | undefined
  readonly EphemeralStorage?: { readonly Size?: number | undefined } | undefined
  readonly KMSKeyArn?: string | undefined
  readonly TracingConfig?: { readonly Mode?: string | undefined } | undefined
  readonly DeadLetterConfig?: DeadLetterRequest | undefined
  readonly SnapStart?: { readonly ApplyOn?: string | undefined } | undefined
  readonly LoggingConfig?: LoggingRequest | undefined
  readonly DurableConfig?: DurableRequest | undefined
  readonly ImageConfig?: ImageConfigRequest | undefined
}

/** What had to be fetched, looked up or sealed before the configuration can be written. */
export interface Resolved {
  readonly layers?: readonly AttachedLayer[] | undefined
  readonly vpc?: FunctionVersion['vpc']
  readonly fileSystems?: FunctionVersion['fileSystems']
  readonly sealedEnvironment?: string | undefined
}

export interface Stamp {
  readonly now: number
  readonly revisionId: string
  readonly generation: string
}

/** Limits of an ordinary function. */
const MAX_MEMORY_MIB = 10_240
const MAX_TIMEOUT_SECONDS = 900
const MAX_EPHEMERAL_MIB = 10_240
/** Limits of a function on a capacity provider (API model). */
const MAX_MANAGED_MEMORY_MIB = 32_768
const MAX_MANAGED_TIMEOUT_SECONDS = 5400

function atMost(member: string, value: number | undefined, limit: number): void {
  if (value === undefined || value <= limit) return
  // AWS's text for a memory size above the account's limit (recorded for MemorySize; for the others unverified).
  throw invalidParameter(
    `'${member}' value failed to satisfy constraint: Member must have value less than or equal to ${limit}`,
  )
}

/** Refuses values that no function of its kind may have; asked before anything is uploaded or stored. */
export function assertConfiguration(request: ConfigurationRequest, isManaged: boolean): void {
  atMost('MemorySize', request.MemorySize, isManaged ? MAX_MANAGED_MEMORY_MIB : MAX_MEMORY_MIB)
  atMost('Timeout', request.Timeout, isManaged ? MAX_MANAGED_TIMEOUT_SECONDS : MAX_TIMEOUT_SECONDS)
  atMost('EphemeralStorage', request.EphemeralStorage?.Size, MAX_EPHEMERAL_MIB)
  if (request.Runtime !== undefined) assertRuntime(request.Runtime)
  if (request.DeadLetterConfig) readDeadLetter(request.DeadLetterConfig)
}

/** Code and layers share one limit, unpacked (both texts seen from AWS). */
export function assertUnzippedSize(code: CodePackage, layers: readonly AttachedLayer[]): void {
  const layerBytes = layers.reduce((sum, layer) => sum + (layer.unzippedBytes ?? 0), 0)
  const bytes = (code.unzippedBytes ?? 0) + layerBytes
  if (layerBytes > MAX_UNZIPPED_BYTES) {
    throw invalidParameter(`Layers consume more than the available size of ${MAX_UNZIPPED_BYTES} bytes`)
  }
  if (bytes > MAX_UNZIPPED_BYTES) {
    throw invalidParameter(
      `Function code combined with layers exceeds the maximum allowed size of ${MAX_UNZIPPED_BYTES} bytes. The actual size is ${bytes} bytes.`,
    )
  }
}

/** An optional member that an empty text removes. */
const removable = (before: string | undefined, request: string | undefined) =>
  request === undefined ? before : request || undefined

/** `version` with the request's members applied. State, revision and generation are the caller's business. */
export function changedConfiguration(
  version: FunctionVersion,
  request: ConfigurationRequest,
  resolved: Resolved,
): FunctionVersion {
  const snapStart = request.SnapStart?.ApplyOn ?? version.snapStart
  const fileSystems = resolved.fileSystems ?? version.fileSystems
  const changed: FunctionVersion = {
    ...version,
    runtime: request.Runtime ?? version.runtime,
    handler: request.Handler ?? version.handler,
    role: request.Role ?? version.role,
    description: request.Description ?? version.description,
    timeoutSeconds: request.Timeout ?? version.timeoutSeconds,
    memoryMiB: request.MemorySize ?? version.memoryMiB,
    ephemeralStorageMiB: request.EphemeralStorage?.Size ?? version.ephemeralStorageMiB,
    layers: resolved.layers ?? version.layers,
    sealedEnvironment: resolved.sealedEnvironment ?? version.sealedEnvironment,
    kmsKeyArn: removable(version.kmsKeyArn, request.KMSKeyArn),
    logging: request.LoggingConfig ? changedLogging(version.logging, request.LoggingConfig) : version.logging,
    tracingMode: (request.TracingConfig?.Mode ?? version.tracingMode) === 'Active' ? 'Active' : 'PassThrough',
    deadLetterArn: request.DeadLetterConfig
      ? readDeadLetter(request.DeadLetterConfig)
      : version.deadLetterArn,
    vpc: resolved.vpc ?? version.vpc,
    fileSystems: fileSystems?.length ? fileSystems : undefined,
    imageOverrides: request.ImageConfig ? readOverrides(request.ImageConfig) : version.imageOverrides,
    snapStart: snapStart === 'PublishedVersions' ? 'PublishedVersions' : 'None',
    durable: request.DurableConfig ? changedDurable(version, request.DurableConfig) : version.durable,
  }
  assertUnzippedSize(changed.code, changed.layers)
  assertSnapStart(changed)
  assertReachable(version, changed)
  return withoutUndefined(changed)
}

/** A function that has just been created: AWS's defaults, the request's members, and Pending. */
export function newConfiguration(
  id: FunctionId,
  request: ConfigurationRequest & { readonly Role?: string | undefined },
  resolved: Resolved &
    Pick<FunctionVersion, 'packageType' | 'code' | 'image' | 'architecture' | 'tenantIsolation'>,
  stamp: Stamp,
): FunctionVersion {
  const defaults: FunctionVersion = {
    ...id,
    version: LATEST,
    packageType: resolved.packageType,
    role: request.Role ?? '',
    description: '',
    timeoutSeconds: 3,
    memoryMiB: 128,
    ephemeralStorageMiB: 512,
    architecture: resolved.architecture,
    code: resolved.code,
    image: resolved.image,
    tenantIsolation: resolved.tenantIsolation,
    layers: [],
    logging: defaultLogging(id.name),
    tracingMode: 'PassThrough',
    snapStart: 'None',
    ...CREATING,
    revisionId: stamp.revisionId,
    modifiedAt: stamp.now,
    generation: stamp.generation,
  }
  return changedConfiguration(defaults, request, resolved)
}

/** Documents hold no undefined members: JSON would drop them, and comparisons should see the same. */
export function withoutUndefined<Doc extends object>(doc: Doc): Doc {
  return Object.fromEntries(Object.entries(doc).filter(([, value]) => value !== undefined)) as Doc
}
