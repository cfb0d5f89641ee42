import { vCpusOf } from '#contracts/capacity-provider.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { MAX_OPEN_FILES, MAX_PROCESSES, MIB_PER_VCPU } from '#contracts/limits.ts'
import type { Sandbox, SandboxDriver, SandboxLimits } from '#data-plane/sandbox/port.ts'
import type { CodeFiles } from '#data-plane/worker/code/code-files.ts'
import type { RuntimeParts } from '#data-plane/worker/start/interpreter-hook.ts'
import type { Random } from '#kernel/random.ts'
import type { Subject, Undo } from '#data-plane/worker/start/stage.ts'

/** The isolated place, with the function's files in it and its limits set; nothing runs yet. */
export async function sandboxHook(
  { version }: Subject,
  host: { readonly driver: SandboxDriver; readonly random: Random },
  made: { readonly code: CodeFiles; readonly parts: RuntimeParts },
  undo: Undo,
): Promise<Sandbox> {
  const { code, parts } = made
  const sandbox = await host.driver.create({
    id: newEnvironmentId(host.random),
    files: {
      task: code.task,
      opt: code.opt,
      runtime: parts.client,
      lang: parts.interpreter?.lang,
    },
    limits: limitsOf(version),
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
