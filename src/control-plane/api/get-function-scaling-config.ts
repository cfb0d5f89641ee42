/** GetFunctionScalingConfig: what was asked for, and what is in effect. */
import type {
  GetFunctionScalingConfigRequest,
  GetFunctionScalingConfigResponse,
} from '@aws-sdk/client-lambda'

import { functionArn } from '#contracts/arn.ts'
import type { OperationHandler } from '#wire/service.ts'

import { requireScalable } from '../capacity-providers/put-function-scaling.ts'
import { limitsView } from '../capacity-providers/scaling-request.ts'
import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'

export const getFunctionScalingConfigHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    GetFunctionScalingConfigRequest,
    GetFunctionScalingConfigResponse
  > =>
  async (input, context) => {
    const { id, qualifier = '' } = resolveFunction(input.FunctionName, context, {
      operation: 'GetFunctionScalingConfig',
      qualifier: input.Qualifier,
    })
    await requireScalable(documents, id, qualifier)
    const scaling = (await documents.scaling(id, qualifier))?.doc
    return {
      // That it is qualified is unverified.
      FunctionArn: functionArn(id, qualifier),
      // Empty while nothing was ever asked for.
      AppliedFunctionScalingConfig: scaling?.applied ? limitsView(scaling.applied) : {},
      ...(scaling && { RequestedFunctionScalingConfig: limitsView(scaling.requested) }),
    }
  }
