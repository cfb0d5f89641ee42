/** How documents look in the API's answers. Members that AWS leaves out are left out. */
import type {
  AliasConfiguration,
  FunctionCodeLocation,
  FunctionConfiguration,
  FunctionEventInvokeConfig,
  PutRuntimeManagementConfigResponse,
} from '@aws-sdk/client-lambda'

import type { DurableSettings } from '#contracts/durable.ts'
import { capacityProviderArn, functionArn, LATEST } from '#contracts/arn.ts'
import { LambdaError } from '#contracts/errors.ts'
import type {
  Alias,
  EventInvokeConfig,
  FileSystemMount,
  FunctionVersion,
  ImageOverrides,
  RuntimeManagement,
} from '#contracts/function.ts'
import { findRuntime, runtimeVersionArn } from '#contracts/runtime.ts'
import type { RequestContext } from '#wire/service.ts'

import { referenceView } from './artifacts/bucket-package.ts'
import type { Dependencies } from './dependencies.ts'
import { signatureView } from './code-signing/signature-records.ts'
import { withoutUndefined } from './functions/configuration.ts'
import { configDigest } from './functions/digest.ts'
import type { VariablesView } from './functions/environment.ts'

/** `2026-01-01T00:00:00.000+0000`. */
export const lambdaDate = (milliseconds: number) => new Date(milliseconds).toISOString().replace('Z', '+0000')

/** The members that ListFunctions and ListVersionsByFunction answer. `qualifier` stands at the end of the ARN. */
export async function listedView(
  version: FunctionVersion,
  variables: VariablesView,
  qualifier?: string,
): Promise<FunctionConfiguration> {
  const { vpc, logging } = version
  return withoutUndefined<FunctionConfiguration>({
    FunctionName: version.name,
    FunctionArn: functionArn(version, qualifier),
    Runtime: version.runtime as FunctionConfiguration['Runtime'],
    Role: version.role,
    Handler: version.handler,
    CodeSize: version.code.sizeBytes,
    Description: version.description,
    Timeout: version.timeoutSeconds,
    MemorySize: version.memoryMiB,
    LastModified: lambdaDate(version.modifiedAt),
    // Unknown for an image that nobody has looked up.
    CodeSha256: version.code.codeSha256 || undefined,
    Version: version.version,
    VpcConfig: vpc && {
      SubnetIds: [...vpc.subnetIds],
      SecurityGroupIds: [...vpc.securityGroupIds],
      VpcId: vpc.vpcId,
      Ipv6AllowedForDualStack: vpc.ipv6AllowedForDualStack ?? false,
    },
    DeadLetterConfig: version.deadLetterArn === undefined ? undefined : { TargetArn: version.deadLetterArn },
    Environment: await variables(version),
    KMSKeyArn: version.kmsKeyArn,
    TracingConfig: { Mode: version.tracingMode },
    RevisionId: version.revisionId,
    Layers:
      version.layers.length === 0
        ? undefined
        : version.layers.map(({ arn, codeSizeBytes, signature }) => ({
            Arn: arn,
            CodeSize: codeSizeBytes,
            ...signatureView(signature),
          })),
    ...signatureView(version.code.signature),
    FileSystemConfigs: version.fileSystems?.map(fileSystemView),
    PackageType: version.packageType,
    ImageConfigResponse: version.imageOverrides && { ImageConfig: overridesView(version.imageOverrides) },
    Architectures: [version.architecture],
    EphemeralStorage: { Size: version.ephemeralStorageMiB },
    // Not there at all with a capacity provider (seen from AWS).
    SnapStart: version.managedInstances
      ? undefined
      : {
          ApplyOn: version.snapStart,
          OptimizationStatus:
            version.snapStart === 'PublishedVersions' && version.version !== LATEST ? 'On' : 'Off',
        },
    LoggingConfig: withoutUndefined({
      LogFormat: logging.format,
      ApplicationLogLevel: logging.applicationLevel as 'INFO' | undefined,
      SystemLogLevel: logging.systemLevel as 'INFO' | undefined,
      LogGroup: logging.group,
    }),
    DurableConfig: version.durable && durableView(version.durable),
    CapacityProviderConfig: managedInstancesView(version),
    TenancyConfig: version.tenantIsolation && { TenantIsolationMode: version.tenantIsolation },
    ConfigSha256: configDigest(version),
  })
}

/** All three members are there, with their defaults (seen from AWS). */
const managedInstancesView = ({ managedInstances, ...id }: FunctionVersion) =>
  managedInstances && {
    LambdaManagedInstancesCapacityProviderConfig: {
      CapacityProviderArn: capacityProviderArn(id, managedInstances.capacityProvider),
      PerExecutionEnvironmentMaxConcurrency: managedInstances.maxConcurrency,
      ExecutionEnvironmentMemoryGiBPerVCpu: managedInstances.memoryGiBPerVCpu,
    },
  }
const fileSystemView = ({ arn, localMountPath, directS3Read }: FileSystemMount) => ({
  Arn: arn,
  LocalMountPath: localMountPath,
  ...(directS3Read !== undefined && { S3FilesConfig: { DirectS3Read: directS3Read as 'AUTO' } }),
})

const overridesView = ({ entryPoint, command, workingDirectory }: ImageOverrides) =>
  withoutUndefined({
    EntryPoint: entryPoint && [...entryPoint],
    Command: command && [...command],
    WorkingDirectory: workingDirectory,
  })

/** Where the code of a version lies: a package behind a link, or an image. */
export async function codeView(
  version: FunctionVersion,
  { codeStore, packageKeys, keyReaders }: Pick<Dependencies, 'codeStore' | 'packageKeys' | 'keyReaders'>,
  { endpoint, principal, region }: Pick<RequestContext, 'endpoint' | 'principal' | 'region'>,
): Promise<FunctionCodeLocation> {
  const { code, image } = version
  if (!image) {
    const { encryption } = code
    const place = { RepositoryType: 'S3', ...referenceView(code) }
    if (!encryption) return { ...place, Location: codeStore.location(code, { endpoint }) }
    const view = { ...place, SourceKMSKeyArn: encryption.kmsKeyArn }
    try {
      await keyReaders?.assertMayDecrypt(principal, region, encryption.kmsKeyArn)
      const key = await packageKeys.open(version, encryption)
      return { ...view, Location: codeStore.location(code, { endpoint, key }) }
    } catch (error) {
      if (!(error instanceof LambdaError)) throw error
      // That the error stands in place of the link is what the API model has it for; the text is unverified.
      return { ...view, Error: { ErrorCode: error.code, Message: error.message } }
    }
  }
  return withoutUndefined<FunctionCodeLocation>({
    RepositoryType: 'ECR',
    ImageUri: image.uri,
    ResolvedImageUri: image.resolvedUri,
  })
}

/** Both are there even when only one was given. */
const durableView = ({ executionTimeoutSeconds, retentionDays, kmsKeyArn }: DurableSettings) => ({
  ...(kmsKeyArn !== undefined && { KMSKeyArn: kmsKeyArn }),
  RetentionPeriodInDays: retentionDays,
  ExecutionTimeout: executionTimeoutSeconds,
})

/** A whole configuration: what is listed, with the state and the runtime's version. */
export async function configurationView(
  version: FunctionVersion,
  variables: VariablesView,
  qualifier?: string,
): Promise<FunctionConfiguration> {
  const runtime = version.runtime === undefined ? undefined : findRuntime(version.runtime)
  return withoutUndefined<FunctionConfiguration>({
    ...(await listedView(version, variables, qualifier)),
    RuntimeVersionConfig: runtime && { RuntimeVersionArn: runtimeVersionArn(version.region, runtime) },
    State: version.state,
    StateReason: version.stateReason,
    StateReasonCode: version.stateReasonCode as FunctionConfiguration['StateReasonCode'],
    LastUpdateStatus: version.lastUpdateStatus,
    LastUpdateStatusReason: version.lastUpdateStatusReason,
    LastUpdateStatusReasonCode:
      version.lastUpdateStatusReasonCode as FunctionConfiguration['LastUpdateStatusReasonCode'],
  })
}

export function aliasView(alias: Alias): AliasConfiguration {
  const extra = alias.additionalVersion
  return withoutUndefined<AliasConfiguration>({
    AliasArn: functionArn(alias, alias.alias),
    Name: alias.alias,
    FunctionVersion: alias.version,
    Description: alias.description,
    RoutingConfig: extra && { AdditionalVersionWeights: { [extra.version]: extra.weight } },
    RevisionId: alias.revisionId,
  })
}

const destination = (arn: string | undefined) => (arn === undefined ? {} : { Destination: arn })

/** Both destinations are present even when they are not set, and the ARN is always qualified (recorded from AWS). */
export function eventInvokeConfigView(config: EventInvokeConfig): FunctionEventInvokeConfig {
  return withoutUndefined<FunctionEventInvokeConfig>({
    LastModified: new Date(config.modifiedAt),
    FunctionArn: functionArn(config, config.qualifier),
    MaximumRetryAttempts: config.maximumRetryAttempts,
    MaximumEventAgeInSeconds: config.maximumEventAgeSeconds,
    DestinationConfig: {
      OnSuccess: destination(config.onSuccessArn),
      OnFailure: destination(config.onFailureArn),
    },
  })
}

/** The runtime's ARN is there with `Manual` only (API reference). That the function's ARN is qualified is unverified. */
export function runtimeManagementView(management: RuntimeManagement): PutRuntimeManagementConfigResponse {
  return withoutUndefined<PutRuntimeManagementConfigResponse>({
    UpdateRuntimeOn: management.updateRuntimeOn,
    FunctionArn: functionArn(management, management.version),
    RuntimeVersionArn: management.runtimeVersionArn,
  })
}
