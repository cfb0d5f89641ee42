/** GetFunctionUrlConfig: no function has one yet; AWS's answer to that, whether the function exists or not (recorded). */
import type { GetFunctionUrlConfigRequest } from '@aws-sdk/client-lambda'

import { resourceNotFound } from '#contracts/errors.ts'
import type { OperationHandler } from '#wire/service.ts'

import { resolveFunction } from '../functions/names.ts'

export const getFunctionUrlConfigHandler =
  (): OperationHandler<GetFunctionUrlConfigRequest, object> => async (input, context) => {
    resolveFunction(input.FunctionName, context, {
      operation: 'GetFunctionUrlConfig',
      qualifier: input.Qualifier,
    })
    throw resourceNotFound('The resource you requested does not exist.')
  }
