/** Which runtimes a function may name. Whether this host can run one is found out while the function is prepared. */
import { invalidParameter } from '#contracts/errors.ts'

/**
 * In the order in which AWS prints them (recorded up to ruby3.3); the later ones stand at the end, where AWS puts them
 * is unverified.
 */
const RUNTIMES = [
  'nodejs20.x',
  'provided.al2023',
  'python3.12',
  'python3.13',
  'nodejs22.x',
  'java17',
  'nodejs16.x',
  'dotnet8',
  'python3.10',
  'java11',
  'python3.11',
  'dotnet6',
  'java21',
  'nodejs18.x',
  'provided.al2',
  'ruby3.3',
  'java8.al2',
  'ruby3.2',
  'python3.8',
  'python3.9',
  'ruby3.4',
  'ruby4.0',
  'nodejs24.x',
  'nodejs26.x',
  'python3.14',
  'python3.15',
  'java25',
  'java8.al2023',
  'java11.al2023',
  'java17.al2023',
  'dotnet10',
]

/** Known to AWS, but blocked for creating and updating. */
const BLOCKED = new Set([
  'java8',
  'go1.x',
  'provided',
  'ruby2.7',
  'nodejs12.x',
  'nodejs14.x',
  'python3.7',
  'dotnetcore3.1',
])

/** Throws AWS's text for a runtime that can't be chosen (any more). */
export function assertRuntime(runtime: string): void {
  if (RUNTIMES.includes(runtime)) return
  if (BLOCKED.has(runtime)) {
    throw invalidParameter(
      `The runtime parameter of ${runtime} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.`,
    )
  }
  throw invalidParameter(
    `Value ${runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [${RUNTIMES.join(', ')}] or be a valid ARN`,
  )
}

/** Java 11, Python 3.12 and .NET 8, and whatever came after them (developer guide). */
const SNAP_START = /^(?:java(?:11|17|2[1-9])(?:\.al2023)?|python3\.(?:1[2-9])|dotnet(?:8|10))$/

export function assertSnapStart(runtime: string | undefined): void {
  if (runtime !== undefined && SNAP_START.test(runtime)) return
  throw invalidParameter(`${runtime ?? 'null'} is not supported for SnapStart enabled functions.`)
}
