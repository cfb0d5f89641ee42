/** GetResourcePolicy: what GetPolicy answers, for an ARN. */
import type { GetResourcePolicyRequest, GetResourcePolicyResponse } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { resolveFunction } from '../functions/names.ts'
import { policyText } from '../policies/document.ts'
import { readPolicy } from '../policies/function-policy.ts'

export const getResourcePolicyHandler =
  ({
    documents,
  }: Pick<Dependencies, 'documents'>): OperationHandler<
    GetResourcePolicyRequest,
    GetResourcePolicyResponse
  > =>
  async (input, context) => {
    const place = resolveFunction(input.ResourceArn, context, { operation: 'GetResourcePolicy' })
    const { document, revisionId } = await readPolicy(documents, place)
    return { Policy: policyText(document), RevisionId: revisionId }
  }
