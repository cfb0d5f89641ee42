/** What a policy hangs on: a function, one of its versions or an alias. Its revision is the revision of that. */
import { functionArn, LATEST, type FunctionId } from '#contracts/arn.ts'
import { invalidParameter } from '#contracts/errors.ts'
import { aliasKey, policyKey, versionKey } from '#contracts/keys.ts'
import type { PolicyDocument, ResourcePolicy } from '#contracts/policy.ts'
import type { MetaWrite } from '#store/port.ts'

import { asJson, headWrite, type Documents, type Stored } from '../documents.ts'
import { aliasNotFound, functionNotFound, isVersionNumber } from '../functions/names.ts'

export interface PolicyTarget {
  readonly arn: string
  readonly policy: Stored<ResourcePolicy> | undefined
  readonly revisionId: string
  /** Writes the policy, or removes it, and gives what it hangs on a new revision (recorded from AWS). */
  writes(document: PolicyDocument | undefined, revisionId: string): readonly MetaWrite[]
}

/** Refuses `$LATEST` as a qualifier; the function itself is meant without one (recorded from AWS). */
export function assertPolicyQualifier(qualifier: string | undefined): void {
  if (qualifier !== LATEST) return
  throw invalidParameter('We currently do not support adding policies for $LATEST.')
}

/** Names that an alias can have; what else does not exist is spoken of as a function (recorded from AWS). */
const ALIAS = /^(?!\d+$)[a-zA-Z0-9-_]+$/

/** Without a qualifier the function itself. Throws AWS's 404 for a function, version or alias that does not exist. */
export async function policyTarget(
  documents: Documents,
  id: FunctionId,
  qualifier: string | undefined,
): Promise<PolicyTarget> {
  const head = await documents.requireHead(id)
  const place = qualifier ?? LATEST
  const policy = await documents.policy(id, place)
  const change = (document: PolicyDocument | undefined): MetaWrite => {
    const doc: ResourcePolicy | undefined = document && { ...id, qualifier: place, document }
    return { key: policyKey(id, place), ifRev: policy?.rev ?? 0, doc: doc ? asJson(doc) : null }
  }
  const arn = functionArn(id, qualifier)
  if (qualifier === undefined) {
    const { latest } = head.doc
    return {
      arn,
      policy,
      revisionId: latest.revisionId,
      writes: (document, revisionId) => [
        change(document),
        headWrite(head, { ...head.doc, latest: { ...latest, revisionId } }),
      ],
    }
  }
  // The head is written with it, unchanged: who deletes the function at this moment finds out.
  const kept = headWrite(head, head.doc)
  if (isVersionNumber(qualifier)) {
    const version = await documents.version(id, qualifier)
    if (!version) throw functionNotFound(id, qualifier)
    const key = versionKey(id, qualifier)
    return {
      arn,
      policy,
      revisionId: version.doc.revisionId,
      writes: (document, revisionId) => [
        change(document),
        { key, ifRev: version.rev, doc: asJson({ ...version.doc, revisionId }) },
        kept,
      ],
    }
  }
  const alias = await documents.alias(id, qualifier)
  if (!alias) throw ALIAS.test(qualifier) ? aliasNotFound(id, qualifier) : functionNotFound(id, qualifier)
  return {
    arn,
    policy,
    revisionId: alias.doc.revisionId,
    writes: (document, revisionId) => [
      change(document),
      { key: aliasKey(id, qualifier), ifRev: alias.rev, doc: asJson({ ...alias.doc, revisionId }) },
      kept,
    ],
  }
}
