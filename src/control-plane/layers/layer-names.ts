/** The spellings of a layer and of a layer version in requests. */
import { layerArn, type Scope } from '#contracts/arn.ts'
import { invalidParameter, LambdaError, resourceNotFound } from '#contracts/errors.ts'

import type { LayerId } from './layer-documents.ts'

/** Pattern of the API model's `LayerVersionArn` and `LayerArn`, taken apart. */
const ARN =
  /^arn:aws[a-zA-Z-]*:lambda:(?<region>[a-z0-9-]+):(?<account>\d{12}):layer:(?<name>[a-zA-Z0-9-_]+)(?::(?<version>\d+))?$/

/** Undefined when it is no ARN of a layer version. */
export function parseLayerVersionArn(
  arn: string,
): { readonly id: LayerId; readonly version: number } | undefined {
  const { region, account, name, version } = ARN.exec(arn)?.groups ?? {}
  if (region === undefined || account === undefined || name === undefined || version === undefined) {
    return undefined
  }
  return { id: { region, account, name }, version: Number(version) }
}

/** A layer's name or ARN, as most operations take it. The wire layer has checked the pattern already. */
export function parseLayerName(text: string, { account, region }: Scope): LayerId {
  if (!text.startsWith('arn:')) return { account, region, name: text }
  const groups = ARN.exec(text)?.groups
  return {
    account: groups?.['account'] ?? account,
    region: groups?.['region'] ?? region,
    name: groups?.['name'] ?? text,
  }
}

/** Recorded from AWS. */
export function checkVersionNumber(version: number): void {
  if (version < 1) throw invalidParameter('Layer Version Cannot be less than 1')
}

export const versionArn = (id: LayerId, version: number) => layerArn(id, id.name, version)

/** GetLayerVersion's 404 (recorded from AWS); the operations on policies name the version instead. */
export const noSuchLayer = () => resourceNotFound('The resource you requested does not exist.')
export const noSuchLayerVersion = (id: LayerId, version: number) =>
  resourceNotFound(`Layer version ${versionArn(id, version)} does not exist.`)

/** Another account's layer without a policy that allows it; the same when there is no such layer (AWS's text). */
export const layerForbidden = (caller: string, arn: string) =>
  new LambdaError(
    'AccessDeniedException',
    `User: ${caller} is not authorized to perform: lambda:GetLayerVersion on resource: ${arn} because no resource-based policy allows the lambda:GetLayerVersion action`,
    { status: 403 },
  )
