/** UpdateFunctionEventInvokeConfig. */
import type {
  FunctionEventInvokeConfig,
  UpdateFunctionEventInvokeConfigRequest,
} from '@aws-sdk/client-lambda'

import { LATEST } from '#contracts/arn.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { writeInvokeConfig } from '../events/invoke-config.ts'
import { resolveFunction } from '../functions/names.ts'
import { eventInvokeConfigView } from '../views.ts'

export const updateFunctionEventInvokeConfigHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'clock' | 'roles'>,
  ): OperationHandler<UpdateFunctionEventInvokeConfigRequest, FunctionEventInvokeConfig> =>
  async (input, context) => {
    const { id, qualifier = LATEST } = resolveFunction(input.FunctionName, context, {
      operation: 'UpdateFunctionEventInvokeConfig',
      qualifier: input.Qualifier,
    })
    return eventInvokeConfigView(await writeInvokeConfig(dependencies, id, qualifier, input, true))
  }
