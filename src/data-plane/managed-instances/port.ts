/** Environments of the versions on capacity providers: how many there are, within what is configured. */
import type { ScalingLimits } from '#contracts/capacity-provider.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import type { Component } from '#kernel/lifecycle.ts'

export interface ManagedInstancesScaler extends Component {
  /**
   * Keeps the version within `limits` from now on. Resolves when as many environments are ready as the limits ask for
   * and no more than they allow, or when at least `required` are and this host has no room for the rest. Rejects with
   * a `LambdaError` when that does not come about; nothing of the version is kept then.
   */
  apply(
    version: FunctionVersion,
    limits: ScalingLimits,
    options?: { readonly required: number },
  ): Promise<void>
}
