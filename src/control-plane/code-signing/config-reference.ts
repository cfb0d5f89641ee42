/** Which code signing configuration an ARN means, and what AWS says when there is none. */
import { codeSigningConfigArn, type Scope } from '#contracts/arn.ts'
import { LambdaError } from '#contracts/errors.ts'
import type { CodeSigningConfig } from '#contracts/code-signing.ts'

import type { Documents, Stored } from '../documents.ts'

/** AWS sends this without the member `Type` (recorded). */
const configNotFound = (arn: string) =>
  new LambdaError(
    'ResourceNotFoundException',
    `The Lambda code signing configuration ${arn} can not be found.`,
    { status: 404, withoutType: true },
  )

/** The same for a function that is to use it (recorded). */
export const usedConfigNotFound = (arn: string) =>
  new LambdaError(
    'CodeSigningConfigNotFoundException',
    `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${arn}.`,
    { status: 404 },
  )

const ID = /:(csc-[a-z0-9]{17})$/

export const isConfigArn = (arn: string) => ID.test(arn)

/** Another account's or region's configurations do not exist for the caller. */
export async function findConfig(
  documents: Documents,
  scope: Scope,
  arn: string,
): Promise<Stored<CodeSigningConfig> | undefined> {
  const configId = ID.exec(arn)?.[1]
  if (configId === undefined || codeSigningConfigArn(scope, configId) !== arn) return undefined
  return await documents.codeSigningConfig({ account: scope.account, region: scope.region }, configId)
}

export async function requireConfig(
  documents: Documents,
  scope: Scope,
  arn: string,
): Promise<Stored<CodeSigningConfig>> {
  const config = await findConfig(documents, scope, arn)
  if (!config) throw configNotFound(arn)
  return config
}
