/** PutRuntimeManagementConfig: sets how a version follows its runtime's updates. */
import type {
  PutRuntimeManagementConfigRequest,
  PutRuntimeManagementConfigResponse,
} from '@aws-sdk/client-lambda'

import { LATEST } from '#contracts/arn.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { putRuntimeManagement } from '../functions/runtime-management.ts'
import { runtimeManagementView } from '../views.ts'

export const putRuntimeManagementConfigHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer'>,
  ): OperationHandler<PutRuntimeManagementConfigRequest, PutRuntimeManagementConfigResponse> =>
  async (input, context) => {
    const { id, qualifier = LATEST } = resolveFunction(input.FunctionName, context, {
      operation: 'PutRuntimeManagementConfig',
      qualifier: input.Qualifier,
    })
    return runtimeManagementView(await putRuntimeManagement(dependencies, id, qualifier, input))
  }
