/** TagResource. */
import type { TagResourceRequest } from '@aws-sdk/client-lambda'

import { invalidParameter } from '#contracts/errors.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'
import { taggedResource } from '../tags/tagged-resource.ts'
import { assertTags, withTags } from '../tags/tags.ts'

export const tagResourceHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'random'>,
  ): OperationHandler<TagResourceRequest, object> =>
  async (input, context) => {
    const resource = taggedResource(dependencies, context, input.Resource ?? '', 'TagResource')
    const added = input.Tags ?? {}
    if (Object.keys(added).length === 0) {
      // Recorded from AWS.
      throw invalidParameter('An error occurred and the request cannot be processed.')
    }
    await resource.change((tags) => {
      assertTags(tags, added)
      return withTags(tags, added)
    })
    return {}
  }
