/** How many requests a second AWS takes for each operation of the Lambda API, for an account in a region. */

/** Operations with one `name` share what they may use. */
export interface ApiRate {
  readonly name: string
  readonly perSecond: number
}

const own = (name: string, perSecond: number): ApiRate => ({ name, perSecond })

/** Everything that has no rate of its own (developer guide, Lambda quotas). */
const CONTROL_PLANE: ApiRate = { name: 'control plane', perSecond: 15 }
/** Developer guide, Lambda Managed Instances quotas: all that reads together, and all that writes. */
const PROVIDER_READS: ApiRate = { name: 'capacity provider reads', perSecond: 15 }
const PROVIDER_WRITES: ApiRate = { name: 'capacity provider writes', perSecond: 1 }

const RATES: Readonly<Record<string, ApiRate>> = Object.fromEntries([
  ...[own('GetFunction', 100), own('GetPolicy', 15)].map((rate) => [rate.name, rate] as const),
  // Service Quotas names one rate for each of these; the figures are those of AWS's smaller regions.
  ...[
    own('CheckpointDurableExecution', 10_000),
    own('GetDurableExecutionHistory', 15),
    own('SendDurableExecutionCallbackFailure', 3_000),
    own('SendDurableExecutionCallbackHeartbeat', 3_000),
    own('SendDurableExecutionCallbackSuccess', 3_000),
    own('StopDurableExecution', 300),
    // Unverified: as fast as what they are used with, checkpoints and histories.
    own('GetDurableExecutionState', 10_000),
    own('GetDurableExecution', 15),
    own('ListDurableExecutionsByFunction', 15),
  ].map((rate) => [rate.name, rate] as const),
  ...['GetCapacityProvider', 'ListCapacityProviders', 'ListFunctionVersionsByCapacityProvider'].map(
    (name) => [name, PROVIDER_READS] as const,
  ),
  ...['CreateCapacityProvider', 'UpdateCapacityProvider', 'DeleteCapacityProvider'].map(
    (name) => [name, PROVIDER_WRITES] as const,
  ),
])

/** Their rate follows from concurrency, which is counted elsewhere. */
const INVOCATIONS: ReadonlySet<string> = new Set(['Invoke', 'InvokeAsync', 'InvokeWithResponseStream'])

/** Undefined: requests are not counted. */
export const apiRateOf = (operation: string): ApiRate | undefined =>
  INVOCATIONS.has(operation) ? undefined : Object.hasOwn(RATES, operation) ? RATES[operation] : CONTROL_PLANE
