import { invalidParameter, type LambdaError } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'

/**
 * Undefined when the request names a tenant exactly if the version is isolated by tenants, otherwise what the client is
 * told. The rule is the developer guide's; both texts are from memory of AWS's behaviour, unverified.
 */
export function refusalByTenant(
  { tenantIsolation }: FunctionVersion,
  tenantId: string | undefined,
): LambdaError | undefined {
  if ((tenantIsolation === undefined) === (tenantId === undefined)) return undefined
  return invalidParameter(
    tenantIsolation === undefined
      ? 'The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.'
      : 'The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.',
  )
}
