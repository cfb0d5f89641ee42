/** ListTags. */
import type { ListTagsRequest, ListTagsResponse } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { taggedResource } from '../tags/tagged-resource.ts'

export const listTagsHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'random'>,
  ): OperationHandler<ListTagsRequest, ListTagsResponse> =>
  async (input, context) => ({
    Tags: { ...(await taggedResource(dependencies, context, input.Resource ?? '', 'ListTags').read()) },
  })
