/** What a layer may say it is compatible with. */
import { validationFailed } from '#contracts/errors.ts'

import { acceptedRuntimes, printedRuntimes } from '../functions/runtimes.ts'

const ARCHITECTURES: readonly string[] = ['x86_64', 'arm64']
/** API model. */
const MAX_RUNTIMES = 15
const MAX_ARCHITECTURES = 2

export interface Compatibility {
  readonly CompatibleRuntimes?: readonly string[] | undefined
  readonly CompatibleArchitectures?: readonly string[] | undefined
}

/** Refuses unknown names, both lists in one text (recorded from AWS; where the lengths stand in it is unverified). */
export function assertCompatibility(request: Compatibility): void {
  const { CompatibleRuntimes: runtimes = [], CompatibleArchitectures: architectures = [] } = request
  const broken: string[] = []
  const refuse = (member: string, value: readonly string[], constraint: string) =>
    broken.push(`Value '[${value.join(', ')}]' at '${member}' failed to satisfy constraint: ${constraint}`)
  if (runtimes.length > MAX_RUNTIMES) {
    refuse('compatibleRuntimes', runtimes, `Member must have length less than or equal to ${MAX_RUNTIMES}`)
  }
  if (!runtimes.every((name) => acceptedRuntimes.has(name))) {
    refuse('compatibleRuntimes', runtimes, `Member must satisfy enum value set: [${printedRuntimes}]`)
  }
  if (architectures.length > MAX_ARCHITECTURES) {
    refuse(
      'compatibleArchitectures',
      architectures,
      `Member must have length less than or equal to ${MAX_ARCHITECTURES}`,
    )
  }
  if (!architectures.every((name) => ARCHITECTURES.includes(name))) {
    refuse(
      'compatibleArchitectures',
      architectures,
      `Member must satisfy constraint: [Member must satisfy enum value set: [${ARCHITECTURES.join(', ')}]]`,
    )
  }
  if (broken.length === 0) return
  const count = broken.length === 1 ? '1 validation error' : `${broken.length} validation errors`
  throw validationFailed(`${count} detected: ${broken.join('; ')}`)
}
