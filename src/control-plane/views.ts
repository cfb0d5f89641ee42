/** How documents look in the API's answers. Members that AWS leaves out are left out. */
import { createHash } from 'node:crypto'

import type {
  AliasConfiguration,
  FunctionConfiguration,
  FunctionEventInvokeConfig,
  PutRuntimeManagementConfigResponse,
} from '@aws-sdk/client-lambda'

import type { DurableSettings } from '#contracts/durable.ts'
import { capacityProviderArn, functionArn, LATEST } from '#contracts/arn.ts'
import type { EnvironmentVault } from '#contracts/environment-vault.ts'
import type { Alias, EventInvokeConfig, FunctionVersion, RuntimeManagement } from '#contracts/function.ts'
import { findRuntime, runtimeVersionArn } from '#contracts/runtime.ts'

import { signatureView } from './code-signing/signature-records.ts'
import { withoutUndefined } from './functions/configuration.ts'
import { configDigest } from './functions/digest.ts'
import { environmentView } from './functions/environment.ts'

/** `2026-01-01T00:00:00.000+0000`. */
export const lambdaDate = (milliseconds: number) => new Date(milliseconds).toISOString().replace('Z', '+0000')

/** There is no network service to ask for a subnet's VPC, so that its id is derived from the subnet's. */
const vpcIdOf = (subnetIds: readonly string[]) =>
  subnetIds[0] === undefined
    ? ''
    : `vpc-${createHash('sha256').update(subnetIds[0]).digest('hex').slice(0, 17)}`

/** The members that ListFunctions and ListVersionsByFunction answer. `qualifier` stands at the end of the ARN. */
export async function listedView(
  version: FunctionVersion,
  environments: EnvironmentVault,
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
    CodeSha256: version.code.codeSha256,
    Version: version.version,
    VpcConfig: vpc && {
      SubnetIds: [...vpc.subnetIds],
      SecurityGroupIds: [...vpc.securityGroupIds],
      VpcId: vpcIdOf(vpc.subnetIds),
      Ipv6AllowedForDualStack: vpc.ipv6AllowedForDualStack ?? false,
    },
    DeadLetterConfig: version.deadLetterArn === undefined ? undefined : { TargetArn: version.deadLetterArn },
    Environment: await environmentView(environments, version),
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
    PackageType: version.packageType,
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

/** Both are there even when only one was given. */
const durableView = ({ executionTimeoutSeconds, retentionDays, kmsKeyArn }: DurableSettings) => ({
  ...(kmsKeyArn !== undefined && { KMSKeyArn: kmsKeyArn }),
  RetentionPeriodInDays: retentionDays,
  ExecutionTimeout: executionTimeoutSeconds,
})

/** A whole configuration: what is listed, with the state and the runtime's version. */
export async function configurationView(
  version: FunctionVersion,
  environments: EnvironmentVault,
  qualifier?: string,
): Promise<FunctionConfiguration> {
  const runtime = version.runtime === undefined ? undefined : findRuntime(version.runtime)
  return withoutUndefined<FunctionConfiguration>({
    ...(await listedView(version, environments, qualifier)),
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
