/** CreateFunctionUrlConfig. */
import type { CreateFunctionUrlConfigRequest, CreateFunctionUrlConfigResponse } from '@aws-sdk/client-lambda'

import { LATEST } from '#contracts/arn.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { createUrl } from '../urls/function-urls.ts'
import { createdUrlView } from '../urls/url-view.ts'

export const createFunctionUrlConfigHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'clock' | 'random' | 'urlName'>,
  ): OperationHandler<CreateFunctionUrlConfigRequest, CreateFunctionUrlConfigResponse> =>
  async (input, context) => {
    const { id, qualifier = LATEST } = resolveFunction(input.FunctionName, context, {
      operation: 'CreateFunctionUrlConfig',
      qualifier: input.Qualifier,
    })
    const url = await createUrl(dependencies, id, qualifier, input)
    return createdUrlView(url, dependencies.urlName, context.endpoint, input.InvokeMode)
  }
