/** How Lambda's operations name what they are about. Pure. */
import { functionArn, layerArn, parseFunctionReference } from '#contracts/arn.ts'

import { accountOf, keysOf, text, type Asking, type Members, type Need } from './need.ts'

type Keys = Readonly<Record<string, readonly string[]>>

/** `name` in any of its spellings; a name that is none is left as it is, and found malformed later. */
export function functionNeed(
  action: string,
  name: unknown,
  { account, region }: Asking,
  more: { readonly qualifier?: unknown; readonly keys?: Keys | undefined } = {},
): Need {
  const reference = parseFunctionReference(text(name) ?? '')
  if (!reference) return { action, resource: '*', account }
  const id = {
    account: reference.account ?? account,
    region: reference.region ?? region,
    name: reference.name,
  }
  const qualifier = text(more.qualifier) ?? reference.qualifier
  return {
    action,
    resource: functionArn(id, qualifier),
    account: id.account,
    policy: { kind: 'function', id, qualifier },
    tagged: id,
    ...(more.keys && { keys: more.keys }),
  }
}

const LAYER = /^(?:arn:[^:]+:lambda:([^:]+):([^:]+):layer:)?([a-zA-Z0-9-_]+)(?::(\d{1,12}))?$/

/** `version` undefined: the layer as a whole. */
export function layerNeed(
  action: string,
  { name, version }: { readonly name: unknown; readonly version?: unknown },
  { account, region }: Asking,
): Need {
  const found = LAYER.exec(text(name) ?? '')
  const plain = found?.[3]
  if (!found || plain === undefined) return { action, resource: text(name) ?? '*', account }
  const scope = { account: found[2] ?? account, region: found[1] ?? region }
  const number = typeof version === 'number' ? version : found[4] === undefined ? undefined : Number(found[4])
  const resource = layerArn(scope, plain, number)
  return number === undefined
    ? { action, resource, account: scope.account }
    : {
        action,
        resource,
        account: scope.account,
        policy: { kind: 'layer', ...scope, name: plain, version: number },
      }
}

/** Permission to hand a role to a service. */
export function passRole(
  role: unknown,
  asking: Asking,
  associated: string,
  service = 'lambda.amazonaws.com',
): readonly Need[] {
  const resource = text(role)
  if (resource === undefined) return []
  const keys = keysOf({
    'iam:passedtoservice': service,
    'iam:associatedresourcearn': associated,
  })
  return [{ action: 'iam:PassRole', resource, account: accountOf(resource) ?? asking.account, keys }]
}

/** Condition keys about a function's configuration. Which VPC a subnet belongs to is not known here. */
export function configurationKeys(input: Members, vpc: Members): Keys {
  const texts = (value: unknown) =>
    Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : undefined
  return keysOf({
    'lambda:layer': texts(input['Layers']),
    'lambda:subnetids': texts(vpc['SubnetIds']),
    'lambda:securitygroupids': texts(vpc['SecurityGroupIds']),
    'lambda:codesigningconfigarn': text(input['CodeSigningConfigArn']),
  })
}
