/** GetPolicy: the resource policy of a function, version or alias, as JSON text. */
import type { GetPolicyRequest, GetPolicyResponse } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { policyText } from '../policies/document.ts'
import { readPolicy } from '../policies/function-policy.ts'

export const getPolicyHandler =
  ({ documents }: Pick<Dependencies, 'documents'>): OperationHandler<GetPolicyRequest, GetPolicyResponse> =>
  async (input, context) => {
    const place = resolveFunction(input.FunctionName, context, {
      operation: 'GetPolicy',
      qualifier: input.Qualifier,
    })
    const { document, revisionId } = await readPolicy(documents, place)
    return { Policy: policyText(document), RevisionId: revisionId }
  }
