/** UntagResource. */
import type { UntagResourceRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { taggedResource } from '../tags/tagged-resource.ts'
import { withoutTags } from '../tags/tags.ts'

export const untagResourceHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'random'>,
  ): OperationHandler<UntagResourceRequest, object> =>
  async (input, context) => {
    const resource = taggedResource(dependencies, context, input.Resource ?? '', 'UntagResource')
    await resource.change((tags) => withoutTags(tags, input.TagKeys ?? []))
    return {}
  }
