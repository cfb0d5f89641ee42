/** GetProvisionedConcurrencyConfig: none can be made yet. Texts recorded from AWS. */
import type { GetProvisionedConcurrencyConfigRequest } from '@aws-sdk/client-lambda'

import { LATEST } from '#contracts/arn.ts'
import { invalidParameter, LambdaError } from '#contracts/errors.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { requireAlias } from '../aliases/aliases.ts'
import { isVersionNumber, resolveFunction } from '../functions/names.ts'

export const getProvisionedConcurrencyConfigHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<GetProvisionedConcurrencyConfigRequest, object> =>
  async (input, context) => {
    const { id, qualifier = LATEST } = resolveFunction(input.FunctionName, context, {
      operation: 'GetProvisionedConcurrencyConfig',
      qualifier: input.Qualifier,
    })
    if (qualifier === LATEST) {
      throw invalidParameter('The function resource provided must be an alias or a published version.')
    }
    if (isVersionNumber(qualifier)) await documents.resolve(id, qualifier)
    else await requireAlias(documents, id, qualifier)
    throw new LambdaError(
      'ProvisionedConcurrencyConfigNotFoundException',
      'No Provisioned Concurrency Config found for this function',
      { status: 404 },
    )
  }
