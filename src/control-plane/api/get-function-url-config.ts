/** GetFunctionUrlConfig: AWS answers a missing function as it does a missing URL (recorded). */
import type { FunctionUrlConfig, GetFunctionUrlConfigRequest } from '@aws-sdk/client-lambda'

import { LATEST } from '#contracts/arn.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { requireUrl } from '../urls/function-urls.ts'
import { urlView } from '../urls/url-view.ts'

export const getFunctionUrlConfigHandler =
  ({
    documents,
    urlName,
  }: Pick<Dependencies, 'documents' | 'urlName'>): OperationHandler<
    GetFunctionUrlConfigRequest,
    FunctionUrlConfig
  > =>
  async (input, context) => {
    const { id, qualifier = LATEST } = resolveFunction(input.FunctionName, context, {
      operation: 'GetFunctionUrlConfig',
      qualifier: input.Qualifier,
    })
    return urlView((await requireUrl(documents, id, qualifier)).doc, urlName, context.endpoint)
  }
