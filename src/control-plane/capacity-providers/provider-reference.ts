/** Which capacity provider a name or an ARN means, and what AWS says when there is none. */
import { capacityProviderArn, type Scope } from '#contracts/arn.ts'
import type { CapacityProvider } from '#contracts/capacity-provider.ts'
import { resourceNotFound } from '#contracts/errors.ts'

import type { Documents, Stored } from '../documents.ts'

/** Text seen from AWS. */
const providerNotFound = (arn: string) => resourceNotFound(`Capacity provider not found: ${arn}`)

const ARN = /^arn:[^:]+:lambda:[^:]+:\d{12}:capacity-provider:([a-zA-Z0-9-_]+)$/

export const isProviderArn = (text: string) => ARN.test(text)

/** The plain name of `text`, a name or an ARN. Another account's or region's providers do not exist for the caller. */
export function providerName(scope: Scope, text: string): string {
  const name = ARN.exec(text)?.[1]
  if (name === undefined) return text
  if (capacityProviderArn(scope, name) !== text) throw providerNotFound(text)
  return name
}

export async function requireProvider(
  documents: Documents,
  { account, region }: Scope,
  text: string,
): Promise<Stored<CapacityProvider>> {
  const scope = { account, region }
  const name = providerName(scope, text)
  const provider = await documents.capacityProvider(scope, name)
  if (!provider) throw providerNotFound(capacityProviderArn(scope, name))
  return provider
}
