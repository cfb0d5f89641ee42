/** Which runtimes a function may name. Whether this host can run one is found out while the function is prepared. */
import { invalidParameter } from '#contracts/errors.ts'
import { findRuntime, RUNTIMES } from '#contracts/runtime.ts'

/** How AWS orders them in its refusal (recorded up to ruby3.3); the later ones follow, where AWS puts them is unverified. */
const PRINTED_FIRST =
  'nodejs20.x provided.al2023 python3.12 python3.13 nodejs22.x java17 python3.10 java11 python3.11 java21 provided.al2 ruby3.3 java8.al2 ruby3.2 python3.9'.split(
    ' ',
  )

const accepted = RUNTIMES.filter((runtime) => !runtime.deprecated).map(({ identifier }) => identifier)
export const acceptedRuntimes: ReadonlySet<string> = new Set(accepted)
/** All of them in AWS's order, with commas between. */
export const printedRuntimes = [
  ...new Set([...PRINTED_FIRST.filter((name) => acceptedRuntimes.has(name)), ...accepted]),
].join(', ')

/** Throws AWS's text for a runtime that can't be chosen (any more). */
export function assertRuntime(identifier: string): void {
  const runtime = findRuntime(identifier)
  if (runtime?.deprecated) {
    throw invalidParameter(
      `The runtime parameter of ${identifier} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.`,
    )
  }
  if (runtime) return
  throw invalidParameter(
    `Value ${identifier} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [${printedRuntimes}] or be a valid ARN`,
  )
}
