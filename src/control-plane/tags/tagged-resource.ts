/** Tags of whatever an ARN of the tagging operations names: a function, a mapping, a provider of code signing or capacity. */
import { mappingArn, type Scope } from '#contracts/arn.ts'
import { resourceNotFound } from '#contracts/errors.ts'

import { changeProviderTags } from '../capacity-providers/capacity-providers.ts'
import { isProviderArn, requireProvider } from '../capacity-providers/provider-reference.ts'
import { isConfigArn, requireConfig } from '../code-signing/config-reference.ts'
import { changeConfigTags } from '../code-signing/signing-configs.ts'
import type { Dependencies } from '../dependencies.ts'
import type { Caller } from '../functions/names.ts'
import { requireMapping } from '../mappings/mapping-documents.ts'
import { changeMappingTags } from '../mappings/mappings.ts'
import { changeTags, resolveTaggable } from './taggable.ts'
import type { Tags } from './tags.ts'

export interface TaggedResource {
  read(): Promise<Tags>
  /** Replaces the tags with what `change` makes of them. */
  change(change: (tags: Tags) => Tags): Promise<void>
}

const MAPPING = /:event-source-mapping:([0-9a-fA-F-]{36})$/

/** UUID of a mapping's ARN; undefined for the ARN of something else. Throws for a mapping of another account or region. */
function mappingOf(arn: string, scope: Scope): string | undefined {
  const uuid = MAPPING.exec(arn)?.[1]
  if (uuid === undefined) return undefined
  if (mappingArn(scope, uuid) !== arn) throw resourceNotFound('The resource you requested does not exist.')
  return uuid
}

/** Throws when the ARN can't have tags at all; what does not exist is found out later. */
export function taggedResource(
  needs: Pick<Dependencies, 'documents' | 'committer' | 'random'>,
  caller: Caller,
  arn: string,
  operation: string,
): TaggedResource {
  const { documents } = needs
  if (isConfigArn(arn)) {
    return {
      read: async () => (await requireConfig(documents, caller, arn)).doc.tags,
      change: (change) => changeConfigTags(needs, caller, arn, change),
    }
  }
  if (isProviderArn(arn)) {
    return {
      read: async () => (await requireProvider(documents, caller, arn)).doc.tags,
      change: (change) => changeProviderTags(needs, caller, arn, change),
    }
  }
  const uuid = mappingOf(arn, caller)
  if (uuid !== undefined) {
    return {
      read: async () => (await requireMapping(documents, caller, uuid)).doc.tags,
      change: (change) => changeMappingTags(needs, caller, uuid, change),
    }
  }
  const id = resolveTaggable(arn, caller, operation)
  return {
    read: async () => (await documents.requireHead(id)).doc.tags,
    change: (change) => changeTags(needs, id, change),
  }
}
