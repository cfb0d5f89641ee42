/** UntagResource. */
import type { UntagResourceRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { changeTags, resolveTaggable } from '../tags/taggable.ts'
import { withoutTags } from '../tags/tags.ts'

export const untagResourceHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'random'>,
  ): OperationHandler<UntagResourceRequest, object> =>
  async (input, context) => {
    const id = resolveTaggable(input.Resource, context, 'UntagResource')
    await changeTags(dependencies, id, (tags) => withoutTags(tags, input.TagKeys ?? []))
    return {}
  }
