/** Policies of layer versions: who else may use one. Pure. */
import { preconditionFailed, resourceConflict, resourceNotFound } from '#contracts/errors.ts'

import type { LayerPolicy, LayerStatement, LayerVersion } from './layer-documents.ts'
import { versionArn } from './layer-names.ts'

const ROOT = /^arn:aws[a-zA-Z-]*:iam::(\d{12}):root$/

/** The statement as AWS renders it, members in AWS's order. */
export function renderStatement(version: LayerVersion, statement: LayerStatement): object {
  const { id, action, principal, organizationId } = statement
  return {
    Sid: id,
    Effect: 'Allow',
    Principal:
      principal === '*' ? '*' : { AWS: ROOT.test(principal) ? principal : `arn:aws:iam::${principal}:root` },
    Action: action,
    Resource: versionArn(version, version.version),
    ...(organizationId !== undefined && {
      Condition: { StringEquals: { 'aws:PrincipalOrgID': organizationId } },
    }),
  }
}

export const renderPolicy = (version: LayerVersion, policy: LayerPolicy): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Id: 'default',
    Statement: policy.statements.map((statement) => renderStatement(version, statement)),
  })

function checkRevision(policy: LayerPolicy | undefined, revisionId: string | undefined): void {
  if (revisionId === undefined || revisionId === policy?.revisionId) return
  throw preconditionFailed(
    'The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the latest Revision Id',
  )
}

interface Change {
  /** What the caller believes is current; undefined: whatever is. */
  readonly ifRevision: string | undefined
  readonly newRevision: string
}

/** Throws AWS's 409 for an id that is taken and its 412 for an old revision. */
export function addStatement(
  policy: LayerPolicy | undefined,
  statement: LayerStatement,
  { ifRevision, newRevision }: Change,
): LayerPolicy {
  const statements = policy?.statements ?? []
  if (statements.some((other) => other.id === statement.id)) {
    throw resourceConflict(
      `The statement id (${statement.id}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
    )
  }
  checkRevision(policy, ifRevision)
  return { revisionId: newRevision, statements: [...statements, statement] }
}

/** Undefined when that was the last statement. Throws AWS's 404 for an unknown id and its 412 for an old revision. */
export function removeStatement(
  policy: LayerPolicy | undefined,
  id: string,
  { ifRevision, newRevision }: Change,
): LayerPolicy | undefined {
  const statements = policy?.statements.filter((statement) => statement.id !== id) ?? []
  if (statements.length === (policy?.statements.length ?? 0)) {
    throw resourceNotFound(`Statement ${id} is not found in resource policy.`)
  }
  checkRevision(policy, ifRevision)
  return statements.length === 0 ? undefined : { revisionId: newRevision, statements }
}

/**
 * Whether `account` may use the version: its owner always, others when a statement names them or everybody.
 * A statement limited to an organization allows nobody: there are no organizations here.
 */
export function mayUse(version: LayerVersion, account: string): boolean {
  if (version.account === account) return true
  return (version.policy?.statements ?? []).some(
    ({ principal, organizationId }) =>
      organizationId === undefined &&
      (principal === '*' || principal === account || ROOT.exec(principal)?.[1] === account),
  )
}
