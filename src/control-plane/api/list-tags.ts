/** ListTags. */
import type { ListTagsRequest, ListTagsResponse } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { isConfigArn, requireConfig } from '../code-signing/config-reference.ts'
import type { Dependencies } from '../dependencies.ts'
import { resolveTaggable } from '../tags/taggable.ts'

export const listTagsHandler =
  ({ documents }: Pick<Dependencies, 'documents'>): OperationHandler<ListTagsRequest, ListTagsResponse> =>
  async (input, context) => {
    const arn = input.Resource ?? ''
    if (isConfigArn(arn)) return { Tags: { ...(await requireConfig(documents, context, arn)).doc.tags } }
    const id = resolveTaggable(input.Resource, context, 'ListTags')
    return { Tags: { ...(await documents.requireHead(id)).doc.tags } }
  }
