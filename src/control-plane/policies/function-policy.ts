/** Changes the resource policy of a function, version or alias. Texts recorded from AWS unless a comment says otherwise. */
import { functionArn, LATEST, type FunctionId } from '#contracts/arn.ts'
import { resourceNotFound } from '#contracts/errors.ts'
import { functionKey } from '#contracts/keys.ts'
import type { PolicyDocument, PolicyStatement } from '#contracts/policy.ts'

import type { Dependencies } from '../dependencies.ts'
import type { Documents } from '../documents.ts'
import { assertRevision } from '../functions/state.ts'
import { assertPolicyLength, parsePolicy, policyText, withoutStatement, withStatement } from './document.ts'
import { assertPolicyQualifier, policyTarget, type PolicyTarget } from './policy-target.ts'
import { statementOf, type PermissionRequest } from './statement.ts'

type Needs = Pick<Dependencies, 'documents' | 'committer' | 'random'>

/** A policy with the revision of what it hangs on. */
export interface PolicyAnswer {
  readonly document: PolicyDocument
  readonly revisionId: string
}

/** Lets `decide` make a new document (undefined: none any more) of the target and writes it. */
function changePolicy<Result>(
  { documents, committer, random }: Needs,
  { id, qualifier }: { readonly id: FunctionId; readonly qualifier: string | undefined },
  decide: (
    target: PolicyTarget,
    revisionId: string,
  ) => { readonly document: PolicyDocument | undefined; readonly result: Result },
): Promise<Result> {
  const revisionId = random.uuid()
  return committer.run(functionKey(id), async () => {
    const target = await policyTarget(documents, id, qualifier)
    const { document, result } = decide(target, revisionId)
    return { writes: target.writes(document, revisionId), result }
  })
}

interface Place {
  readonly id: FunctionId
  readonly qualifier: string | undefined
}

/** The statement that was added. */
export async function addPermission(
  needs: Needs,
  place: Place,
  request: PermissionRequest & { readonly RevisionId?: string | undefined },
): Promise<PolicyStatement> {
  assertPolicyQualifier(place.qualifier)
  return await changePolicy(needs, place, (target) => {
    assertRevision(target.revisionId, request.RevisionId)
    const statement = statementOf(request, target.arn, place.id.region)
    const document = withStatement(target.policy?.doc.document, statement)
    assertPolicyLength(policyText(document))
    return { document, result: statement }
  })
}

/** The policy goes with its last statement. */
export async function removePermission(
  needs: Needs,
  place: Place,
  request: { readonly StatementId?: string | undefined; readonly RevisionId?: string | undefined },
): Promise<void> {
  const { id, qualifier } = place
  // AWS has this text for the function; every other missing thing is named as elsewhere.
  if (!(await needs.documents.head(id))) {
    throw resourceNotFound(`No policy found for: ${functionArn(id, qualifier)}`)
  }
  const noPolicy = () => resourceNotFound('No policy is associated with the given resource.')
  // `$LATEST` has no policy of its own (for this operation unverified).
  if (qualifier === LATEST) throw noPolicy()
  await changePolicy(needs, place, (target) => {
    if (!target.policy) throw noPolicy()
    const document = withoutStatement(target.policy.doc.document, request.StatementId ?? '')
    assertRevision(target.revisionId, request.RevisionId)
    return { document, result: undefined }
  })
}

const noSuchPolicy = () => resourceNotFound('The resource you requested does not exist.')

/** Throws AWS's 404 without a policy; a missing version or alias is answered the same way, a missing function by name. */
export async function readPolicy(documents: Documents, { id, qualifier }: Place): Promise<PolicyAnswer> {
  await documents.requireHead(id)
  if (qualifier === LATEST || !(await documents.policy(id, qualifier ?? LATEST))) throw noSuchPolicy()
  const { policy, revisionId } = await policyTarget(documents, id, qualifier)
  if (!policy) throw noSuchPolicy()
  return { document: policy.doc.document, revisionId }
}

/** Replaces the whole policy, whatever it was made of before. What AWS answers to mistakes here is unverified. */
export async function putPolicy(
  needs: Needs,
  place: Place,
  request: { readonly Policy?: string | undefined; readonly RevisionId?: string | undefined },
): Promise<PolicyAnswer> {
  assertPolicyQualifier(place.qualifier)
  return await changePolicy(needs, place, (target, revisionId) => {
    assertRevision(target.revisionId, request.RevisionId)
    const document = parsePolicy(request.Policy ?? '', target.arn)
    assertPolicyLength(policyText(document))
    return { document, result: { document, revisionId } }
  })
}

/** Removes the whole policy. Throws a 404 when there is none (text of GetPolicy, for this operation unverified). */
export async function deletePolicy(
  needs: Needs,
  place: Place,
  request: { readonly RevisionId?: string | undefined },
): Promise<void> {
  if (place.qualifier === LATEST) throw noSuchPolicy()
  await changePolicy(needs, place, (target) => {
    if (!target.policy) throw noSuchPolicy()
    assertRevision(target.revisionId, request.RevisionId)
    return { document: undefined, result: undefined }
  })
}
