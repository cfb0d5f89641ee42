/** Where invocations enter: API clients, function URLs, pollers all call this and nothing below it. */
import type { InvocationRequest, InvocationResult } from '#contracts/invocation.ts'

export interface Frontend {
  /**
   * Authorised already. Resolves the version, admits, runs. Rejects with `LambdaError` (not found, throttled, ...), or
   * with the signal's reason when the client hangs up first.
   */
  invoke(request: InvocationRequest): Promise<InvocationResult>
  /** Asynchronous: durable in the event queue when it resolves. */
  enqueue(request: InvocationRequest): Promise<void>
  /** Checks everything that `invoke` checks, and runs nothing. */
  dryRun(request: InvocationRequest): Promise<void>
}
