/** Counts concurrency: the account's, and each function's reserved share. In memory, on the warm path. */
import type { FunctionId } from '#contracts/arn.ts'

export interface Counting {
  /**
   * Takes one place for the function, or throws the 429 with its reason. The returned function gives it back
   * (safe to call twice).
   */
  admit(id: FunctionId): () => void
  /** Told by the change feed. Undefined: no reservation. */
  setReserved(id: FunctionId, reserved: number | undefined): void
  /** Invocations running now, per account and region. */
  inFlight(scope: { readonly account: string; readonly region: string }): number
}
