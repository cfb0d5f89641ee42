/** TagResource. */
import type { TagResourceRequest } from '@aws-sdk/client-lambda'

import { invalidParameter } from '#contracts/errors.ts'
import type { OperationHandler } from '#wire/service.ts'

import { isConfigArn } from '../code-signing/config-reference.ts'
import { changeConfigTags } from '../code-signing/signing-configs.ts'
import type { Dependencies } from '../dependencies.ts'
import { changeTags, resolveTaggable } from '../tags/taggable.ts'
import { assertTags, withTags, type Tags } from '../tags/tags.ts'

export const tagResourceHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'random'>,
  ): OperationHandler<TagResourceRequest, object> =>
  async (input, context) => {
    const arn = input.Resource ?? ''
    const id = isConfigArn(arn) ? undefined : resolveTaggable(arn, context, 'TagResource')
    const added = input.Tags ?? {}
    if (Object.keys(added).length === 0) {
      // Recorded from AWS.
      throw invalidParameter('An error occurred and the request cannot be processed.')
    }
    const change = (tags: Tags) => {
      assertTags(tags, added)
      return withTags(tags, added)
    }
    if (id) await changeTags(dependencies, id, change)
    else await changeConfigTags(dependencies, context, arn, change)
    return {}
  }
