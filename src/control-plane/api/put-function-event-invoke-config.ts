/** PutFunctionEventInvokeConfig. */
import type { FunctionEventInvokeConfig, PutFunctionEventInvokeConfigRequest } from '@aws-sdk/client-lambda'

import { LATEST } from '#contracts/arn.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { writeInvokeConfig } from '../events/invoke-config.ts'
import { resolveFunction } from '../functions/names.ts'
import { eventInvokeConfigView } from '../views.ts'

export const putFunctionEventInvokeConfigHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'clock' | 'roles'>,
  ): OperationHandler<PutFunctionEventInvokeConfigRequest, FunctionEventInvokeConfig> =>
  async (input, context) => {
    const { id, qualifier = LATEST } = resolveFunction(input.FunctionName, context, {
      operation: 'PutFunctionEventInvokeConfig',
      qualifier: input.Qualifier,
    })
    return eventInvokeConfigView(await writeInvokeConfig(dependencies, id, qualifier, input, false))
  }
