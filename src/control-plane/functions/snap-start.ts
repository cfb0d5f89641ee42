/** SnapStart: which functions can have it. Pure. */
import { invalidParameter } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'

/** Java 11, Python 3.12 and .NET 8, and whatever came after them (developer guide). */
const RUNTIMES = /^(?:java(?:11|17|2[1-9])(?:\.al2023)?|python3\.(?:1[2-9])|dotnet(?:8|10))$/
/** The size that every function has. */
const EPHEMERAL_MIB = 512

/**
 * Refuses SnapStart together with what it excludes (developer guide). The text for runtimes is recorded from AWS, the
 * others are unverified.
 */
export function assertSnapStart(version: FunctionVersion): void {
  if (version.snapStart !== 'PublishedVersions') return
  const { runtime, packageType, fileSystems = [], ephemeralStorageMiB, tenantIsolation } = version
  if (packageType === 'Image') {
    throw invalidParameter('SnapStart is not supported for functions of package type Image.')
  }
  if (runtime === undefined || !RUNTIMES.test(runtime)) {
    throw invalidParameter(`${runtime ?? 'null'} is not supported for SnapStart enabled functions.`)
  }
  if (fileSystems.length > 0) {
    throw invalidParameter('File systems are not supported for SnapStart enabled functions.')
  }
  if (ephemeralStorageMiB > EPHEMERAL_MIB) {
    throw invalidParameter(
      `Ephemeral storage of more than ${EPHEMERAL_MIB} MB is not supported for SnapStart enabled functions.`,
    )
  }
  if (tenantIsolation !== undefined) {
    throw invalidParameter('Tenant isolation is not supported for SnapStart enabled functions.')
  }
}
