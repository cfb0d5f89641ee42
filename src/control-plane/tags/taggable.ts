/** Which function an ARN of the tagging operations means, and how its tags are changed. */
import type { FunctionId } from '#contracts/arn.ts'
import { invalidParameter, resourceNotFound } from '#contracts/errors.ts'
import { functionKey } from '#contracts/keys.ts'

import type { Dependencies } from '../dependencies.ts'
import { headWrite } from '../documents.ts'
import { resolveFunction, type Caller } from '../functions/names.ts'
import type { Tags } from './tags.ts'

export function resolveTaggable(arn: string | undefined, caller: Caller, operation: string): FunctionId {
  if (!arn?.includes(':function:')) {
    // Other resources with tags can't be created here, so that none exists.
    throw resourceNotFound('The resource you requested does not exist.')
  }
  const { id, qualifier } = resolveFunction(arn, caller, { operation })
  if (qualifier !== undefined) {
    throw invalidParameter(
      'Tags on function aliases and versions are not supported. Please specify a function ARN.',
    )
  }
  return id
}

/** Replaces the tags with what `change` makes of them. The function's revision changes with them (recorded from AWS). */
export function changeTags(
  { documents, committer, random }: Pick<Dependencies, 'documents' | 'committer' | 'random'>,
  id: FunctionId,
  change: (tags: Tags) => Tags,
): Promise<void> {
  const revisionId = random.uuid()
  return committer.run(functionKey(id), async () => {
    const before = await documents.requireHead(id)
    const { latest } = before.doc
    const head = { ...before.doc, tags: change(before.doc.tags), latest: { ...latest, revisionId } }
    return { writes: [headWrite(before, head)], result: undefined }
  })
}
