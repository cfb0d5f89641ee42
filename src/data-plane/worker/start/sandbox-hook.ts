import { vCpusOf } from '#contracts/capacity-provider.ts'
import { LambdaError } from '#contracts/errors.ts'
import { accessPointId } from '#contracts/file-system.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { MAX_OPEN_FILES, MAX_PROCESSES, MIB_PER_VCPU } from '#contracts/limits.ts'
import type { Sandbox, SandboxDriver, SandboxLimits, SharedDirectory } from '#data-plane/sandbox/port.ts'
import type { HostResources } from '#data-plane/worker/port.ts'
import type { FunctionFiles } from '#data-plane/worker/start/files-hook.ts'
import type { Random } from '#kernel/random.ts'
import type { Subject, Undo } from '#data-plane/worker/start/stage.ts'

/** The isolated place, with the function's files in it and its limits set; nothing runs yet. */
export async function sandboxHook(
  { version, snapshot }: Subject,
  host: { readonly driver: SandboxDriver; readonly random: Random; readonly resources: HostResources },
  { code, image, parts }: FunctionFiles,
  undo: Undo,
): Promise<Sandbox> {
  const sandbox = await host.driver.create({
    id: newEnvironmentId(host.random),
    files: {
      task: code?.task,
      opt: code?.opt,
      runtime: parts?.client,
      lang: parts?.interpreter?.lang,
    },
    ...(image && { image: image.root }),
    limits: limitsOf(version),
    network: host.resources.networkOf(version),
    shared: sharedDirectories(version, host.resources),
    ...(snapshot && { snapshot }),
  })
  undo.defer(() => sandbox.destroy())
  return sandbox
}

export const limitsOf = (
  version: Pick<FunctionVersion, 'memoryMiB' | 'ephemeralStorageMiB' | 'managedInstances'>,
): SandboxLimits => ({
  memoryMiB: version.memoryMiB,
  vcpus: version.managedInstances
    ? vCpusOf(version.memoryMiB, version.managedInstances)
    : version.memoryMiB / MIB_PER_VCPU,
  tmpMiB: version.ephemeralStorageMiB,
  openFiles: MAX_OPEN_FILES,
  processes: MAX_PROCESSES,
})

/** 32 lower-case hexadecimal digits, the same as in the name of its log stream. */
export const newEnvironmentId = (random: Random) => random.hex(32)
/** The directories of the version's access points; each access point's files belong to one user of the host. */
function sharedDirectories(
  { fileSystems = [] }: FunctionVersion,
  resources: HostResources,
): readonly SharedDirectory[] {
  return fileSystems.map(({ arn, localMountPath }) => {
    const source = resources.directoryOf(arn)
    if (source === undefined) throw mountFailure(arn)
    return { source, target: localMountPath, owner: accessPointId(arn).slice('fsap-'.length) }
  })
}

/** The settings have changed since the function was configured. AWS's name for it; its text is unverified. */
const mountFailure = (arn: string) =>
  new LambdaError(
    arn.includes(':s3files:') ? 'S3FilesMountFailureException' : 'EFSMountFailureException',
    `The function couldn't mount the file system of the access point ${arn}: it stands for no directory of this host.`,
    { status: 403 },
  )
