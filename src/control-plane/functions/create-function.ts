/** Creates a function: its head, its first version if asked for, and its share of the account's sums, or nothing. */
import { invalidParameter, resourceConflict, throttled } from '#contracts/errors.ts'
import type { Architecture, FunctionHead, FunctionVersion } from '#contracts/function.ts'
import { accountKey, functionKey, versionKey } from '#contracts/keys.ts'
import type { FunctionId } from '#contracts/arn.ts'

import type { Principal } from '#wire/service.ts'

import { countedBytes } from '../artifacts/bucket-package.ts'
import { countersWrite } from '../account/counters.ts'
import {
  changedManagedInstances,
  requestedProvider,
  type ManagedRequest,
} from '../capacity-providers/managed-function.ts'
import { requireUsableProvider, useWrites as providerUseWrites } from '../capacity-providers/provider-use.ts'
import {
  assertSigned,
  deployedLayers,
  requireUsableConfig,
  useWrites,
} from '../code-signing/function-signing.ts'
import { newStamp, type Dependencies } from '../dependencies.ts'
import { asJson } from '../documents.ts'
import { assertTags, type Tags } from '../tags/tags.ts'
import { publish, publishesLatest, type PublishTarget } from '../versions/publish.ts'
import { assertCodeSource, fetchCode, type CodeRequest } from './code-source.ts'
import { assertConfiguration, newConfiguration, type ConfigurationRequest } from './configuration.ts'
import { assertAssumable, assertMaySendDeadLetters } from './execution-role.ts'
import { assertVariables, sealVariables, type Variables } from './environment.ts'
import { readFileSystems, type FileSystemRequest } from './file-systems.ts'
import { assertMembersOf, assertSignable } from './image.ts'
import type { LoggingRequest } from './logging.ts'
import { readVpc, type VpcRequest } from './vpc.ts'

export interface CreateFunctionRequest extends ConfigurationRequest, ManagedRequest, PublishTarget {
  readonly MemorySize?: number | undefined
  readonly LoggingConfig?: LoggingRequest | undefined
  readonly PackageType?: string | undefined
  readonly Code?: CodeRequest | undefined
  readonly Architectures?: readonly string[] | undefined
  readonly Environment?: { readonly Variables?: Variables | undefined } | undefined
  readonly Layers?: readonly string[] | undefined
  readonly VpcConfig?: VpcRequest | undefined
  readonly FileSystemConfigs?: readonly FileSystemRequest[] | undefined
  readonly TenancyConfig?: { readonly TenantIsolationMode?: string | undefined } | undefined
  readonly CodeSigningConfigArn?: string | undefined
  readonly Tags?: Tags | undefined
  readonly Publish?: boolean | undefined
}

/** Everything that can be refused without fetching or storing anything. */
function assertRequest(request: CreateFunctionRequest): void {
  const packageType = packageTypeOf(request)
  assertCodeSource(request.Code ?? {}, packageType)
  assertMembersOf(packageType, request)
  if (request.CodeSigningConfigArn) assertSignable(packageType)
  if (request.TenancyConfig && request.CapacityProviderConfig) {
    // An environment of managed instances runs many invocations at once. Rule and text are unverified.
    throw invalidParameter('Tenant isolation is not supported for functions with a capacity provider.')
  }
  if (packageType === 'Zip' && (!request.Runtime || !request.Handler)) {
    throw invalidParameter(
      'Runtime and Handler are mandatory parameters for functions created with deployment packages.',
    )
  }
  assertConfiguration(request, request.CapacityProviderConfig !== undefined)
  if (request.Environment) assertVariables(request.Environment.Variables ?? {})
  if (request.Tags) assertTags({}, request.Tags)
}

const packageTypeOf = ({ PackageType }: CreateFunctionRequest) => (PackageType === 'Image' ? 'Image' : 'Zip')

const alreadyExists = (id: FunctionId) => resourceConflict(`Function already exist: ${id.name}`)

/** The new version as the answer shows it: version 1 when it was published at once, else `$LATEST`. */
export async function createFunction(
  dependencies: Dependencies,
  id: FunctionId,
  request: CreateFunctionRequest,
  caller: Principal,
): Promise<FunctionVersion> {
  const { documents, committer, activation, layers, hostResources, environments, random } = dependencies
  assertRequest(request)
  const vpc = request.VpcConfig && readVpc(request.VpcConfig, hostResources.subnets)
  const fileSystems =
    request.FileSystemConfigs && readFileSystems(request.FileSystemConfigs, hostResources.hasFileSystem)
  // Asked again when the function is written; here it saves storing code for nothing.
  if (await documents.head(id)) throw alreadyExists(id)
  await assertAssumable(dependencies.roles, id, request.Role)
  await assertMaySendDeadLetters(
    dependencies.roles,
    id,
    request.Role ?? '',
    request.DeadLetterConfig?.TargetArn,
  )
  if (!activation.hasRoom) throw throttled('CallerRateLimitExceeded')
  const readSigning = () =>
    request.CodeSigningConfigArn
      ? requireUsableConfig(documents, id, request.CodeSigningConfigArn)
      : Promise.resolve(undefined)
  const signing = await readSigning()

  const providerName = requestedProvider(id, request)
  const provider =
    providerName === undefined ? undefined : await requireUsableProvider(documents, id, providerName)
  const attached = request.Layers?.length ? await layers.resolve(request.Layers, id) : []
  const packageType = packageTypeOf(request)
  const architecture: Architecture = request.Architectures?.[0] === 'arm64' ? 'arm64' : 'x86_64'
  const fetched = await fetchCode(dependencies, id, request.Code ?? {}, { packageType, architecture, caller })
  const deployed = [{ signature: fetched.code.signature, name: id.name }, ...deployedLayers(attached)]
  const signed = { meta: documents.meta, clock: dependencies.clock }
  if (signing) await assertSigned(signed, signing.doc, deployed)
  const sealedEnvironment =
    request.Environment &&
    (await sealVariables(environments, id, {
      variables: request.Environment.Variables ?? {},
      kmsKeyArn: request.KMSKeyArn || undefined,
    }))
  const stamp = newStamp(dependencies)
  const ordinary = newConfiguration(
    id,
    request,
    {
      ...fetched,
      packageType,
      architecture,
      layers: attached,
      sealedEnvironment,
      vpc,
      fileSystems,
      ...(request.TenancyConfig && { tenantIsolation: 'PER_TENANT' }),
    },
    stamp,
  )
  const latest = changedManagedInstances(ordinary, request, provider?.doc)
  const head: FunctionHead = {
    ...id,
    latest,
    createdAt: stamp.now,
    nextVersion: 1,
    tags: request.Tags ?? {},
    ...(signing && { codeSigningConfigId: signing.doc.configId }),
  }
  const published = request.Publish
    ? publish(head, {
        stamp: newStamp(dependencies),
        headRevisionId: random.uuid(),
        ready: false,
        toLatest: publishesLatest(latest, request),
      })
    : undefined

  const created = await committer.run(accountKey(id), async () => {
    if (await documents.head(id)) throw alreadyExists(id)
    const counters = await documents.counters(id)
    const used = await readSigning()
    if (used) await assertSigned(signed, used.doc, deployed)
    const versionWrites = published
      ? [{ key: versionKey(id, published.version.version), doc: asJson(published.version) }]
      : []
    return {
      writes: [
        { key: functionKey(id), ifRev: 0, doc: asJson(published?.head ?? head) },
        ...versionWrites,
        ...(used ? useWrites(id, used) : []),
        ...(await providerUseWrites(documents, published ? [latest, published.version] : [latest])),
        countersWrite(id, counters, {
          functionCount: 1,
          codeSizeBytes: countedBytes(fetched.code) * (published ? 2 : 1),
        }),
      ],
      result: published?.head ?? head,
    }
  })
  activation.drive(created.latest)
  if (published) activation.drive(published.version)
  return published?.version ?? created.latest
}
