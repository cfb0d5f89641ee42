/** Whom a request means: the three spellings of a function's name, and the texts when it means nobody. */
import {
  functionArn,
  mergeQualifiers,
  parseFunctionReference,
  type FunctionId,
  type FunctionReference,
} from '#contracts/arn.ts'
import { invalidParameter, LambdaError, resourceNotFound, validationFailed } from '#contracts/errors.ts'
import type { RequestContext } from '#wire/service.ts'

export type Caller = Pick<RequestContext, 'account' | 'region' | 'principal' | 'isAuthorised'>

export interface Target {
  readonly id: FunctionId
  /** From the name's ARN or from the parameter; undefined when neither has one. */
  readonly qualifier: string | undefined
}

/** Longest bare name (recorded from AWS); a full ARN may have 140 characters, which the wire layer checks. */
const MAX_NAME_LENGTH = 64

/** Pattern of the API model's `FunctionName`, as AWS prints it. */
const NAME_PATTERN =
  '(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?'

const malformed = (text: string) =>
  validationFailed(
    `1 validation error detected: Value '${text}' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: ${NAME_PATTERN}`,
  )

export const functionNotFound = (id: FunctionId, qualifier?: string) =>
  resourceNotFound(`Function not found: ${functionArn(id, qualifier)}`)

export const aliasNotFound = (id: FunctionId, alias: string) =>
  resourceNotFound(`Cannot find alias arn: ${functionArn(id, alias)}`)

function reachable(reference: FunctionReference, caller: Caller, operation: string): FunctionId {
  const { account, region, name } = reference
  if (region !== undefined && region !== caller.region) {
    throw resourceNotFound(`Functions from '${region}' are not reachable in this region ('${caller.region}')`)
  }
  const id = { account: account ?? caller.account, region: caller.region, name }
  if (id.account !== caller.account && !caller.isAuthorised) {
    // AWS's own text of a missing resource policy; for CreateFunction AWS sends no text at all (recorded).
    throw new LambdaError(
      'AccessDeniedException',
      operation === 'CreateFunction'
        ? ''
        : `User: ${caller.principal.arn} is not authorized to perform: lambda:${operation} on resource: ${functionArn(id)} because no resource-based policy allows the lambda:${operation} action`,
      { status: 403 },
    )
  }
  return id
}

/**
 * The function that `name` (and `qualifier`, where the operation has one) stands for. Throws for a malformed name, for
 * another region or account, and when the name's own qualifier contradicts the parameter. Whether it exists is not asked.
 */
export function resolveFunction(
  name: string | undefined,
  caller: Caller,
  options: { readonly operation: string; readonly qualifier?: string | undefined },
): Target {
  const reference = parseFunctionReference(name ?? '')
  if (!reference) throw malformed(name ?? '')
  const id = reachable(reference, caller, options.operation)
  return { id, qualifier: mergeQualifiers(reference.qualifier, options.qualifier || undefined) }
}

/** The name of a function to be created: like any other, but without a qualifier and of limited length. */
export function resolveNewFunction(name: string | undefined, caller: Caller): FunctionId {
  const reference = parseFunctionReference(name ?? '')
  if (!reference || reference.qualifier !== undefined || reference.name.includes('.')) {
    throw malformed(name ?? '')
  }
  const id = reachable(reference, caller, 'CreateFunction')
  if (id.name.length > MAX_NAME_LENGTH) {
    throw invalidParameter(
      `1 validation error detected: Value '${id.name}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to ${MAX_NAME_LENGTH}`,
    )
  }
  return id
}

/** A version number as the API writes it. Anything else that is not `$LATEST` names an alias. */
export const isVersionNumber = (qualifier: string) => /^[0-9]+$/.test(qualifier)
/** Version numbers have no leading zeros and at most twelve digits; others exist nowhere. */
export const isStorableVersion = (qualifier: string) => /^[1-9][0-9]{0,11}$/.test(qualifier)
