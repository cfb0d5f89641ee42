/** GetFunction: configuration, a link to the code, tags and reserved concurrency. */
import type { GetFunctionRequest, GetFunctionResponse } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { withoutUndefined } from '../functions/configuration.ts'
import { resolveFunction } from '../functions/names.ts'
import { variablesFor } from '../functions/environment.ts'
import { codeView, configurationView } from '../views.ts'

export const getFunctionHandler =
  ({
    documents,
    codeStore,
    environments,
    keyReaders,
    packageKeys,
  }: Pick<
    Dependencies,
    'documents' | 'codeStore' | 'environments' | 'keyReaders' | 'packageKeys'
  >): OperationHandler<GetFunctionRequest, GetFunctionResponse> =>
  async (input, context) => {
    const variables = variablesFor({ environments, keyReaders }, context)
    const { id, qualifier } = resolveFunction(input.FunctionName, context, {
      operation: 'GetFunction',
      qualifier: input.Qualifier,
    })
    const { head, version } = await documents.resolve(id, qualifier)
    return withoutUndefined<GetFunctionResponse>({
      Configuration: await configurationView(version, variables, qualifier),
      Code: await codeView(version, { codeStore, packageKeys, keyReaders }, context),
      Tags: Object.keys(head.tags).length > 0 ? { ...head.tags } : undefined,
      Concurrency:
        head.reservedConcurrency === undefined
          ? undefined
          : { ReservedConcurrentExecutions: head.reservedConcurrency },
    })
  }
