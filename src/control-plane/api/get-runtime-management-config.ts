/** GetRuntimeManagementConfig: how a version follows its runtime's updates. */
import type {
  GetRuntimeManagementConfigRequest,
  GetRuntimeManagementConfigResponse,
} from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { readRuntimeManagement } from '../functions/runtime-management.ts'
import { runtimeManagementView } from '../views.ts'

export const getRuntimeManagementConfigHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    GetRuntimeManagementConfigRequest,
    GetRuntimeManagementConfigResponse
  > =>
  async (input, context) => {
    const { id, qualifier } = resolveFunction(input.FunctionName, context, {
      operation: 'GetRuntimeManagementConfig',
      qualifier: input.Qualifier,
    })
    return runtimeManagementView(await readRuntimeManagement(documents, id, qualifier))
  }
