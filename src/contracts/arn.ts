/** Lambda's ARNs and the three spellings of a function's name that the API accepts. */
import { invalidParameter } from '#contracts/errors.ts'

export interface Scope {
  readonly account: string
  readonly region: string
}

/** Identifies one function; equal for every version of it. */
export interface FunctionId extends Scope {
  readonly name: string
}

export const LATEST = '$LATEST'
/** What a function on a capacity provider runs when no qualifier is given: the unnumbered version published last. */
export const LATEST_PUBLISHED = '$LATEST.PUBLISHED'

export const partitionOf = (region: string) =>
  region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'

/** `arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]`. */
export function functionArn(id: FunctionId, qualifier?: string): string {
  const base = `arn:${partitionOf(id.region)}:lambda:${id.region}:${id.account}:function:${id.name}`
  return qualifier === undefined ? base : `${base}:${qualifier}`
}

/** `arn:aws:lambda:REGION:ACCOUNT:layer:NAME[:VERSION]`. */
export function layerArn(scope: Scope, name: string, version?: number): string {
  const base = `arn:${partitionOf(scope.region)}:lambda:${scope.region}:${scope.account}:layer:${name}`
  return version === undefined ? base : `${base}:${version}`
}

/** `arn:aws:lambda:REGION:ACCOUNT:code-signing-config:csc-ID`. */
export const codeSigningConfigArn = (scope: Scope, configId: string) =>
  `arn:${partitionOf(scope.region)}:lambda:${scope.region}:${scope.account}:code-signing-config:${configId}`

/** `arn:aws:lambda:REGION:ACCOUNT:event-source-mapping:UUID`. */
export const mappingArn = (scope: Scope, uuid: string) =>
  `arn:${partitionOf(scope.region)}:lambda:${scope.region}:${scope.account}:event-source-mapping:${uuid}`

/** `arn:aws:lambda:REGION:ACCOUNT:capacity-provider:NAME`. */
export const capacityProviderArn = (scope: Scope, name: string) =>
  `arn:${partitionOf(scope.region)}:lambda:${scope.region}:${scope.account}:capacity-provider:${name}`

/** `arn:aws:iam::ACCOUNT:root`, which stands for the whole account in a policy. */
export const accountRootArn = (account: string, region: string) =>
  `arn:${partitionOf(region)}:iam::${account}:root`

export interface FunctionReference {
  readonly account: string | undefined
  readonly region: string | undefined
  readonly name: string
  readonly qualifier: string | undefined
}

/** Pattern of the API model's `NamespacedFunctionName`, taken apart. */
const REFERENCE =
  /^(?:arn:(?<partition>aws[a-zA-Z-]*):lambda:)?(?:(?<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?(?:(?<account>\d{12}):)?(?:function:)?(?<name>[a-zA-Z0-9-_.]+)(?::(?<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?$/

/**
 * Reads a function name, a partial ARN (`123456789012:function:name`) or a full ARN, with or without a qualifier.
 * Undefined when it is none of them.
 */
export function parseFunctionReference(text: string): FunctionReference | undefined {
  const groups = REFERENCE.exec(text)?.groups
  if (!groups) return undefined
  return {
    account: groups['account'],
    region: groups['region'],
    name: groups['name'] ?? '',
    qualifier: groups['qualifier'],
  }
}

/** The qualifier of a request: from the ARN, from the parameter, or both when they agree. */
export function mergeQualifiers(
  fromName: string | undefined,
  fromParameter: string | undefined,
): string | undefined {
  if (fromName !== undefined && fromParameter !== undefined && fromName !== fromParameter) {
    // Code and text as EventBridge Scheduler's guide quotes them from Lambda.
    throw invalidParameter(
      'The derived qualifier from the function name does not match the specified qualifier.',
    )
  }
  return fromParameter ?? fromName
}
