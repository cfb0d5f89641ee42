import { functionArn, mergeQualifiers, parseFunctionReference, type FunctionId } from '#contracts/arn.ts'
import { LambdaError, resourceNotFound, validationFailed } from '#contracts/errors.ts'
import type { RequestContext } from '#wire/service.ts'

/**
 * The function that an invoke request names, in any of the spellings of its name. Throws AWS's errors for names of
 * another region (recorded), of another account, and for two qualifiers that contradict each other.
 */
export function invokeTarget(
  input: { readonly FunctionName: string; readonly Qualifier?: string },
  context: Pick<RequestContext, 'account' | 'region' | 'principal' | 'isAuthorised'>,
): { readonly id: FunctionId; readonly qualifier: string | undefined } {
  const reference = parseFunctionReference(input.FunctionName)
  if (!reference) throw validationFailed(`'${input.FunctionName}' is not the name of a function`)
  const { region = context.region, account = context.account, name } = reference
  // The model allows an empty qualifier; it means none.
  const qualifier = mergeQualifiers(reference.qualifier, input.Qualifier || undefined)
  if (region !== context.region) {
    throw resourceNotFound(
      `Functions from '${region}' are not reachable in this region ('${context.region}')`,
    )
  }
  const id = { account, region, name }
  if (account !== context.account && !context.isAuthorised) {
    const arn = functionArn(id, qualifier)
    throw new LambdaError(
      'AccessDeniedException',
      `User: ${context.principal.arn} is not authorized to perform: lambda:InvokeFunction on resource: ${arn} because no resource-based policy allows the lambda:InvokeFunction action`,
      { status: 403 },
    )
  }
  return { id, qualifier }
}
