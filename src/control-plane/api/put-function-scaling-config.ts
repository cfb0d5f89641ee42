/** PutFunctionScalingConfig. Answers before the environments have come or gone. */
import type {
  PutFunctionScalingConfigRequest,
  PutFunctionScalingConfigResponse,
} from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { putFunctionScaling } from '../capacity-providers/put-function-scaling.ts'
import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const putFunctionScalingConfigHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'activation' | 'scaling' | 'random'>,
  ): OperationHandler<PutFunctionScalingConfigRequest, PutFunctionScalingConfigResponse> =>
  async (input, context) => {
    const { id, qualifier = '' } = resolveFunction(input.FunctionName, context, {
      operation: 'PutFunctionScalingConfig',
      qualifier: input.Qualifier,
    })
    return {
      FunctionState: await putFunctionScaling(dependencies, id, qualifier, input.FunctionScalingConfig),
    }
  }
