import { LambdaError } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import type { DriverReport } from '#data-plane/sandbox/port.ts'
import type { HostResources } from '#data-plane/worker/port.ts'

/**
 * Why this host's driver can't run the version as it is configured, or undefined when it can. Found out while a function
 * is prepared, so that it fails then and not at its first invocation.
 */
export function hostObstacle(
  version: FunctionVersion,
  report: Pick<DriverReport, 'driver' | 'filesystem' | 'network' | 'images'>,
  resources: HostResources,
): LambdaError | undefined {
  const refuse = (code: string, what: string) =>
    new LambdaError(code, `The ${report.driver} driver of this host ${what}.`, {
      status: 502,
      fault: 'platform',
    })
  const [fileSystem] = version.fileSystems ?? []
  if (fileSystem && !report.filesystem.enforced) {
    const isS3 = fileSystem.arn.includes(':s3files:')
    return refuse(
      isS3 ? 'S3FilesMountFailureException' : 'EFSMountFailureException',
      'cannot mount file systems',
    )
  }
  if (version.packageType === 'Image' && !report.images?.enforced)
    return refuse(
      'InvalidConfigurationException',
      'cannot give a function the file system of a container image',
    )
  const network = resources.networkOf(version)
  if (network !== 'internet' && !report.network.enforced) {
    return refuse('InvalidConfigurationException', `cannot close the network to "${network}"`)
  }
  return undefined
}
