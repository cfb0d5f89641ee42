/** ListFunctionUrlConfigs: function URLs can't be created yet, so that the list is truly empty. */
import type { ListFunctionUrlConfigsRequest, ListFunctionUrlConfigsResponse } from '@aws-sdk/client-lambda'

import { resourceNotFound } from '#contracts/errors.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const listFunctionUrlConfigsHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    ListFunctionUrlConfigsRequest,
    ListFunctionUrlConfigsResponse
  > =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, { operation: 'ListFunctionUrlConfigs' })
    // Recorded from AWS.
    if (!(await documents.head(id))) throw resourceNotFound('Function does not exist')
    return { FunctionUrlConfigs: [] }
  }
