/** Counts concurrency: the account's, each function's reserved share, each version's provisioned one. In memory. */
import type { FunctionId } from '#contracts/arn.ts'

export interface ConcurrencyLimits {
  /** Undefined: no reservation. */
  readonly reserved: number | undefined
  /** Sum of the provisioned concurrency that was asked for. */
  readonly provisioned: number
}

export interface Counting {
  /**
   * Takes one place for an invocation of that version, a provisioned one as long as there is any; or throws the 429 with
   * its reason. The returned function gives it back (safe to call twice).
   */
  admit(id: FunctionId, version: string): () => void
  /** Told by the change feed. */
  setLimits(id: FunctionId, limits: ConcurrencyLimits): void
  /** Told by whoever provisions: how many environments of the version are initialised and kept so. */
  setProvisioned(id: FunctionId, version: string, ready: number): void
  /** Invocations running now, per account and region. */
  inFlight(scope: { readonly account: string; readonly region: string }): number
}
