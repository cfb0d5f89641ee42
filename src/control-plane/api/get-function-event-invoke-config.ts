/** GetFunctionEventInvokeConfig. */
import type { FunctionEventInvokeConfig, GetFunctionEventInvokeConfigRequest } from '@aws-sdk/client-lambda'

import { LATEST } from '#contracts/arn.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { requireInvokeConfig } from '../events/invoke-config.ts'
import { resolveFunction } from '../functions/names.ts'
import { eventInvokeConfigView } from '../views.ts'

export const getFunctionEventInvokeConfigHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    GetFunctionEventInvokeConfigRequest,
    FunctionEventInvokeConfig
  > =>
  async (input, context) => {
    const { id, qualifier = LATEST } = resolveFunction(input.FunctionName, context, {
      operation: 'GetFunctionEventInvokeConfig',
      qualifier: input.Qualifier,
    })
    return eventInvokeConfigView((await requireInvokeConfig(documents, id, qualifier)).doc)
  }
