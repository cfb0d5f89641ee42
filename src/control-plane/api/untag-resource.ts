/** UntagResource. */
import type { UntagResourceRequest } from '@aws-sdk/client-lambda'

import type { OperationHandler } from '#wire/service.ts'

import { isConfigArn } from '../code-signing/config-reference.ts'
import { changeConfigTags } from '../code-signing/signing-configs.ts'
import type { Dependencies } from '../dependencies.ts'
import { changeTags, resolveTaggable } from '../tags/taggable.ts'
import { withoutTags, type Tags } from '../tags/tags.ts'

export const untagResourceHandler =
  (
    dependencies: Pick<Dependencies, 'documents' | 'committer' | 'random'>,
  ): OperationHandler<UntagResourceRequest, object> =>
  async (input, context) => {
    const change = (tags: Tags) => withoutTags(tags, input.TagKeys ?? [])
    const arn = input.Resource ?? ''
    if (isConfigArn(arn)) await changeConfigTags(dependencies, context, arn, change)
    else await changeTags(dependencies, resolveTaggable(arn, context, 'UntagResource'), change)
    return {}
  }
