/** UpdateFunctionUrlConfig. */
import type { FunctionUrlConfig, UpdateFunctionUrlConfigRequest } from '@aws-sdk/client-lambda'

import { LATEST } from '#contracts/arn.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { updateUrl } from '../urls/function-urls.ts'
import { urlView } from '../urls/url-view.ts'

export const updateFunctionUrlConfigHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'clock' | 'urlName'>,
  ): OperationHandler<UpdateFunctionUrlConfigRequest, Partial<FunctionUrlConfig>> =>
  async (input, context) => {
    const { id, qualifier = LATEST } = resolveFunction(input.FunctionName, context, {
      operation: 'UpdateFunctionUrlConfig',
      qualifier: input.Qualifier,
    })
    const url = await updateUrl(dependencies, id, qualifier, input)
    const { InvokeMode, ...view } = urlView(url, dependencies.urlName, context.endpoint)
    // The mode stands in the answer only when the request has named one (recorded from AWS).
    return { ...view, ...(input.InvokeMode !== undefined && { InvokeMode }) }
  }
