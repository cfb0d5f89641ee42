/** Changes a function's code or configuration. Until the change is prepared, invocations run what was there before. */
import { invalidParameter, throttled } from '#contracts/errors.ts'
import { functionArn, type FunctionId } from '#contracts/arn.ts'
import type { Architecture, FunctionHead, FunctionVersion } from '#contracts/function.ts'
import { accountKey, functionKey } from '#contracts/keys.ts'

import type { Principal } from '#wire/service.ts'

import { countedBytes } from '../artifacts/bucket-package.ts'
import { countersWrite } from '../account/counters.ts'
import {
  changedManagedInstances,
  requestedProvider,
  type ManagedRequest,
} from '../capacity-providers/managed-function.ts'
import { requireUsableProvider, unuseWrites, useWrites } from '../capacity-providers/provider-use.ts'
import { assertDeployable, deployedLayers } from '../code-signing/function-signing.ts'
import { newStamp, type Dependencies } from '../dependencies.ts'
import { headWrite } from '../documents.ts'
import { planPublication } from '../versions/publication.ts'
import { fetchCode, type CodeRequest } from './code-source.ts'
import { functionNotFound } from './names.ts'
import {
  assertConfiguration,
  assertUnzippedSize,
  changedConfiguration,
  withoutUndefined,
  type ConfigurationRequest,
  type Stamp,
} from './configuration.ts'
import { assertAssumable, assertMaySendDeadLetters } from './execution-role.ts'
import { assertVariables, changedVariables, type Variables } from './environment.ts'
import { readFileSystems, type FileSystemRequest } from './file-systems.ts'
import { assertMembersOf } from './image.ts'
import type { LoggingRequest } from './logging.ts'
import { assertRuntimeChangeable } from './runtime-management.ts'
import { assertChangeable, assertRevision, UPDATING } from './state.ts'
import { readVpc, type VpcRequest } from './vpc.ts'

/** The head with a changed `$LATEST` whose update is in progress. */
function withUpdate(head: FunctionHead, changed: FunctionVersion, stamp: Stamp): FunctionHead {
  const before = head.latest
  // What worked last goes on serving; the result of a failed update never served.
  const serving = before.lastUpdateStatus === 'Failed' ? (head.serving ?? before) : before
  const latest = withoutUndefined<FunctionVersion>({
    ...changed,
    ...UPDATING,
    revisionId: stamp.revisionId,
    modifiedAt: stamp.now,
    generation: stamp.generation,
  })
  return { ...head, latest, serving }
}

export interface UpdateCodeRequest extends CodeRequest {
  readonly Architectures?: readonly string[] | undefined
  readonly Publish?: boolean | undefined
  readonly PublishTo?: string | undefined
  readonly DryRun?: boolean | undefined
  readonly RevisionId?: string | undefined
}

/** A function stays of the package type that it was created with (texts recorded from AWS). */
function assertSamePackageType(packageType: FunctionVersion['packageType'], { ImageUri }: CodeRequest): void {
  if (packageType === 'Image' && !ImageUri) {
    throw invalidParameter('Please provide ImageUri when updating a function with packageType Image.')
  }
  if (packageType === 'Zip' && ImageUri !== undefined) {
    throw invalidParameter("Please don't provide ImageUri when updating a function with packageType Zip.")
  }
}

/** `$LATEST` after the change, or the version that was published with it. */
export async function updateFunctionCode(
  dependencies: Dependencies,
  id: FunctionId,
  request: UpdateCodeRequest,
  caller: Principal,
): Promise<FunctionVersion> {
  const { documents, committer, activation, random } = dependencies
  const assertAllowed = (head: FunctionHead) => {
    assertRevision(head.latest.revisionId, request.RevisionId)
    assertChangeable(id, head.latest)
  }
  // Asked again when the change is written; here it saves storing code for nothing.
  const { doc: current } = await documents.requireHead(id)
  const { packageType } = current.latest
  assertSamePackageType(packageType, request)
  assertAllowed(current)
  if (!activation.hasRoom) throw throttled('CallerRateLimitExceeded')
  const architectureOf = (latest: FunctionVersion): Architecture =>
    (request.Architectures?.[0] ?? latest.architecture) === 'arm64' ? 'arm64' : 'x86_64'
  const architecture = architectureOf(current.latest)
  const fetched = await fetchCode(dependencies, id, request, { packageType, architecture, caller })
  const { code } = fetched
  const assertTrusted = (head: FunctionHead) =>
    assertDeployable(dependencies, head, [
      { signature: code.signature, name: functionArn(id) },
      ...deployedLayers(head.latest.layers),
    ])
  await assertTrusted(current)

  const changeCode = (latest: FunctionVersion): FunctionVersion => {
    assertUnzippedSize(code, latest.layers)
    return { ...latest, ...fetched, architecture: architectureOf(latest) }
  }
  if (request.DryRun) return changeCode(current.latest)

  const stamp = newStamp(dependencies)
  const versionStamp = newStamp(dependencies)
  const headRevisionId = random.uuid()
  const { head, version } = await committer.run(accountKey(id), async () => {
    const before = await documents.requireHead(id)
    if (before.doc.latest.packageType !== packageType) throw functionNotFound(id)
    assertAllowed(before.doc)
    await assertTrusted(before.doc)
    const counters = await documents.counters(id)
    const updated = withUpdate(before.doc, changeCode(before.doc.latest), stamp)
    const growth = countedBytes(code) - countedBytes(before.doc.latest.code)

    const plan = request.Publish
      ? await planPublication(documents, updated, {
          request,
          stamp: versionStamp,
          headRevisionId,
          ready: false,
        })
      : undefined
    if (!plan || 'existing' in plan) {
      return {
        writes: [headWrite(before, updated), countersWrite(id, counters, { codeSizeBytes: growth })],
        result: { head: updated, version: plan?.existing },
      }
    }
    return {
      writes: [
        headWrite(before, plan.head),
        ...plan.writes,
        countersWrite(id, counters, { codeSizeBytes: growth + plan.codeGrowthBytes }),
      ],
      result: plan,
    }
  })
  activation.drive(head.latest)
  if (version) activation.drive(version)
  return version ?? head.latest
}

export interface UpdateConfigurationRequest extends ConfigurationRequest, ManagedRequest {
  readonly MemorySize?: number | undefined
  readonly LoggingConfig?: LoggingRequest | undefined
  readonly Environment?: { readonly Variables?: Variables | undefined } | undefined
  readonly Layers?: readonly string[] | undefined
  readonly VpcConfig?: VpcRequest | undefined
  readonly FileSystemConfigs?: readonly FileSystemRequest[] | undefined
  readonly RevisionId?: string | undefined
}

/** `$LATEST` after the change. */
export async function updateFunctionConfiguration(
  dependencies: Dependencies,
  id: FunctionId,
  request: UpdateConfigurationRequest,
): Promise<FunctionVersion> {
  const { documents, committer, activation, layers, hostResources, environments } = dependencies
  const existing = await documents.head(id)
  assertConfiguration(request, existing?.doc.latest.managedInstances !== undefined)
  const variables = request.Environment && (request.Environment.Variables ?? {})
  if (variables) assertVariables(variables)
  if (!existing) throw functionNotFound(id)
  const providerName = requestedProvider(id, request)
  const vpc = request.VpcConfig && readVpc(request.VpcConfig, hostResources.subnets)
  const fileSystems =
    request.FileSystemConfigs && readFileSystems(request.FileSystemConfigs, hostResources.hasFileSystem)
  await assertAssumable(dependencies.roles, id, request.Role)
  await assertMaySendDeadLetters(
    dependencies.roles,
    id,
    request.Role ?? existing.doc.latest.role,
    request.DeadLetterConfig?.TargetArn,
  )
  if (!activation.hasRoom) throw throttled('CallerRateLimitExceeded')
  const attached =
    request.Layers && (request.Layers.length > 0 ? await layers.resolve(request.Layers, id) : [])

  const stamp = newStamp(dependencies)
  const latest = await committer.run(functionKey(id), async () => {
    const before = await documents.requireHead(id)
    assertRevision(before.doc.latest.revisionId, request.RevisionId)
    assertChangeable(id, before.doc.latest)
    assertMembersOf(before.doc.latest.packageType, request)
    await assertRuntimeChangeable(documents, before.doc.latest, request.Runtime)
    // Layers are code as well.
    if (attached?.length) await assertDeployable(dependencies, before.doc, deployedLayers(attached))
    const sealedEnvironment = await changedVariables(environments, before.doc.latest, {
      variables,
      kmsKeyArn: request.KMSKeyArn,
    })
    const resolved = { layers: attached, sealedEnvironment, vpc, fileSystems }
    const ordinary = changedConfiguration(before.doc.latest, request, resolved)
    const provider =
      providerName === undefined ? undefined : await requireUsableProvider(documents, id, providerName)
    const changed = changedManagedInstances(ordinary, request, provider?.doc)
    const head = withUpdate(before.doc, changed, stamp)
    const moves = providerName !== undefined && providerName !== ordinary.managedInstances?.capacityProvider
    const moveWrites = moves ? [...unuseWrites(ordinary), ...(await useWrites(documents, [head.latest]))] : []
    return { writes: [headWrite(before, head), ...moveWrites], result: head.latest }
  })
  activation.drive(latest)
  return latest
}
