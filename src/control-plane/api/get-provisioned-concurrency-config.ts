/** GetProvisionedConcurrencyConfig. Texts recorded from AWS. */
import type {
  GetProvisionedConcurrencyConfigRequest,
  GetProvisionedConcurrencyConfigResponse,
} from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { assertQualified, provisionedNotFound, requireProvisionable } from '../concurrency/provisioned.ts'
import { provisionedView } from '../concurrency/provisioned-view.ts'
import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const getProvisionedConcurrencyConfigHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    GetProvisionedConcurrencyConfigRequest,
    GetProvisionedConcurrencyConfigResponse
  > =>
  async (input, context) => {
    const target = resolveFunction(input.FunctionName, context, {
      operation: 'GetProvisionedConcurrencyConfig',
      qualifier: input.Qualifier,
    })
    const qualifier = assertQualified(target.qualifier)
    await requireProvisionable(documents, target.id, qualifier)
    const config = await documents.provisionedConcurrency(target.id, qualifier)
    if (!config) throw provisionedNotFound()
    const state = await documents.provisionedState(target.id, qualifier)
    return provisionedView(config.doc, state?.doc)
  }
