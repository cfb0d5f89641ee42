/** Digests of a version's content, to tell whether anything has changed. Pure. */
import { createHash } from 'node:crypto'

import type { FunctionVersion } from '#contracts/function.ts'

/**
 * SHA-256 of the configuration without the code, base64. How AWS computes its `ConfigSha256` is not documented; equal
 * configurations of one function have equal digests, and that is all that it is good for.
 */
export function configDigest(version: FunctionVersion): string {
  // A list, because its order is fixed whatever order the members were written in.
  const content = [
    version.packageType,
    version.runtime,
    version.handler,
    version.role,
    version.description,
    version.timeoutSeconds,
    version.memoryMiB,
    version.ephemeralStorageMiB,
    version.architecture,
    version.layers.map((layer) => layer.arn),
    version.sealedEnvironment,
    version.kmsKeyArn,
    version.logging.format,
    version.logging.group,
    version.logging.applicationLevel,
    version.logging.systemLevel,
    version.tracingMode,
    version.deadLetterArn,
    version.vpc && [
      version.vpc.subnetIds,
      version.vpc.securityGroupIds,
      version.vpc.ipv6AllowedForDualStack ?? false,
    ],
    version.snapStart,
    version.image?.uri,
    version.imageOverrides && [
      version.imageOverrides.entryPoint,
      version.imageOverrides.command,
      version.imageOverrides.workingDirectory,
    ],
    version.fileSystems?.map(({ arn, localMountPath, directS3Read }) => [arn, localMountPath, directS3Read]),
    version.tenantIsolation,
    version.durable && [
      version.durable.executionTimeoutSeconds,
      version.durable.retentionDays,
      version.durable.kmsKeyArn,
    ],
    // Only where there are any, so that the digests of all others stay what they were.
    ...(version.managedInstances
      ? [
          [
            version.managedInstances.capacityProvider,
            version.managedInstances.maxConcurrency,
            version.managedInstances.memoryGiBPerVCpu,
          ],
        ]
      : []),
  ]
  return createHash('sha256').update(JSON.stringify(content)).digest('base64')
}

/** Everything that publishing freezes: configuration and code. */
export const contentDigest = (version: FunctionVersion) =>
  `${configDigest(version)}/${version.code.codeSha256}`
