/** GetPolicy: nothing can be added to a resource policy yet, so that none exists. Texts recorded from AWS. */
import type { GetPolicyRequest } from '@aws-sdk/client-lambda'

import { resourceNotFound } from '#contracts/errors.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const getPolicyHandler =
  ({ documents }: Pick<Dependencies, 'documents'>): OperationHandler<GetPolicyRequest, object> =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, {
      operation: 'GetPolicy',
      qualifier: input.Qualifier,
    })
    await documents.requireHead(id)
    throw resourceNotFound('The resource you requested does not exist.')
  }
