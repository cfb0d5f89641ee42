import { LambdaError } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { imageCommand } from '#data-plane/worker/image/image-command.ts'
import type { PreparedImage } from '#images/port.ts'

/** Reasons of the API model, by the error type that an ordinary function has at its first invocation. */
const REASONS: Readonly<Record<string, readonly [code: string, text: string]>> = {
  // Text seen from AWS, for an image whose command was a name without a path.
  'Runtime.InvalidEntrypoint': [
    'FunctionError.InvalidEntryPoint',
    "The Lambda function's runtime entrypoint path isn't valid. The path must be absolute, non-empty, and point to an executable file.",
  ],
  // Text unverified.
  'Runtime.InvalidWorkingDir': [
    'FunctionError.InvalidWorkingDirectory',
    "The Lambda function's working directory isn't valid. The path must be absolute and point to a directory.",
  ],
}

/**
 * Why a function of this image can't run on a capacity provider, where environments start before anybody invokes it;
 * undefined when nothing is wrong that can be seen in the image. Ordinary functions say so when they are invoked.
 */
export async function imageObstacle(
  version: Pick<FunctionVersion, 'managedInstances' | 'imageOverrides'>,
  image: Pick<PreparedImage, 'root' | 'config'>,
): Promise<LambdaError | undefined> {
  if (!version.managedInstances) return undefined
  const overrides = version.imageOverrides
  const [program = ''] = [
    ...(overrides?.entryPoint ?? image.config.entrypoint),
    ...(overrides?.command ?? image.config.cmd),
  ]
  const command = await imageCommand(image, overrides, {})
  const isRelative = !program.startsWith('/')
  const errorType =
    'errorType' in command ? command.errorType : isRelative ? 'Runtime.InvalidEntrypoint' : undefined
  const reason = errorType === undefined ? undefined : REASONS[errorType]
  return reason && new LambdaError(reason[0], reason[1])
}
