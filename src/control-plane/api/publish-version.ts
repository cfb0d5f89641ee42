/** PublishVersion. */
import type { FunctionConfiguration, PublishVersionRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { publishVersion } from '../versions/publish-version.ts'
import { variablesFor } from '../functions/environment.ts'
import { configurationView } from '../views.ts'

export const publishVersionHandler =
  (dependencies: Dependencies): OperationHandler<PublishVersionRequest, FunctionConfiguration> =>
  async (input, context) => {
    const { id } = resolveFunction(input.FunctionName, context, { operation: 'PublishVersion' })
    const version = await publishVersion(dependencies, id, input)
    return configurationView(version, variablesFor(dependencies, context), version.version)
  }
