/** PutResourcePolicy: replaces the whole policy of a function, version or alias. */
import type { PutResourcePolicyRequest, PutResourcePolicyResponse } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { policyText } from '../policies/document.ts'
import { putPolicy } from '../policies/function-policy.ts'

export const putResourcePolicyHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'random'>,
  ): OperationHandler<PutResourcePolicyRequest, PutResourcePolicyResponse> =>
  async (input, context) => {
    const place = resolveFunction(input.ResourceArn, context, { operation: 'PutResourcePolicy' })
    const { document, revisionId } = await putPolicy(dependencies, place, input)
    return { Policy: policyText(document), RevisionId: revisionId }
  }
