/** Policy documents: statements put in and taken out one by one, and whole documents as a client writes them. Pure. */
import { invalidParameter, LambdaError, resourceConflict, resourceNotFound } from '#contracts/errors.ts'
import { MAX_POLICY_BYTES } from '#contracts/limits.ts'
import type { PolicyDocument, PolicyStatement } from '#contracts/policy.ts'

/** The policy as the API sends it: JSON text. */
export const policyText = (document: PolicyDocument) => JSON.stringify(document)

/** Refuses the text of a policy that is too long; the message is AWS's, as many clients have reported it. */
export function assertPolicyLength(text: string): void {
  const bytes = Buffer.byteLength(text)
  if (bytes <= MAX_POLICY_BYTES) return
  throw new LambdaError(
    'PolicyLengthExceededException',
    `The final policy size (${bytes}) is bigger than the limit (${MAX_POLICY_BYTES}).`,
    { status: 400 },
  )
}

/** Throws AWS's 409 when the statement's id is taken (recorded). */
export function withStatement(
  document: PolicyDocument | undefined,
  statement: PolicyStatement,
): PolicyDocument {
  const before = document ?? { Version: '2012-10-17', Id: 'default', Statement: [] }
  if (before.Statement.some(({ Sid }) => Sid === statement['Sid'])) {
    throw resourceConflict(
      `The statement id (${String(statement['Sid'])}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
    )
  }
  return { ...before, Statement: [...before.Statement, statement] }
}

/** Undefined when that was the last statement. Throws AWS's 404 for an unknown id (recorded). */
export function withoutStatement(document: PolicyDocument, statementId: string): PolicyDocument | undefined {
  const rest = document.Statement.filter(({ Sid }) => Sid !== statementId)
  if (rest.length === document.Statement.length) {
    throw resourceNotFound(`Statement ${statementId} is not found in resource policy.`)
  }
  return rest.length === 0 ? undefined : { ...document, Statement: rest }
}

/** What AWS answers to a document that is no policy is not recorded; every text of this kind is unverified. */
const invalidPolicy = (why: string) => invalidParameter(`The provided policy is invalid: ${why}`)

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

const texts = (value: unknown): readonly string[] | undefined => {
  const list = Array.isArray(value) ? value : [value]
  return list.length > 0 && list.every((item) => typeof item === 'string') ? list : undefined
}

const MEMBERS = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
])
const ACTION = /^(?:\*|lambda:[a-zA-Z*?]+)$/

/** Operators, each with keys, each with one value or several: nothing deeper, so that nothing can be nested without end. */
function isCondition(value: unknown): boolean {
  if (!isObject(value)) return false
  return Object.values(value).every(
    (keys) =>
      isObject(keys) &&
      Object.values(keys).every((values) =>
        (Array.isArray(values) ? values : [values]).every((item) =>
          ['string', 'number', 'boolean'].includes(typeof item),
        ),
      ),
  )
}

function assertStatement(statement: unknown, resource: string): void {
  if (!isObject(statement)) throw invalidPolicy('a statement is not an object')
  const unknown = Object.keys(statement).find((member) => !MEMBERS.has(member))
  if (unknown !== undefined) throw invalidPolicy(`a statement has the unknown member "${unknown}"`)
  const { Sid, Effect, Principal, Action, Condition } = statement
  if (Sid !== undefined && typeof Sid !== 'string') throw invalidPolicy('a Sid is not a string')
  if (Effect !== 'Allow' && Effect !== 'Deny') throw invalidPolicy('Effect is neither Allow nor Deny')
  const principal = Principal ?? statement['NotPrincipal']
  if (principal !== '*' && !(isObject(principal) && Object.values(principal).every(texts))) {
    throw invalidPolicy('a statement has no valid Principal')
  }
  const actions = texts(Action ?? statement['NotAction'])
  if (!actions?.every((action) => ACTION.test(action))) {
    throw invalidPolicy('a statement has an Action that is not one of Lambda')
  }
  const resources = texts(statement['Resource'] ?? statement['NotResource'])
  if (!resources?.every((arn) => arn === '*' || arn === resource)) {
    throw invalidPolicy(`a statement's Resource is not ${resource}`)
  }
  if (Condition !== undefined && !isCondition(Condition)) {
    throw invalidPolicy('a Condition is not an object of operators with keys and values')
  }
}

/** A whole document for `resource`; its statements always become a list. */
export function parsePolicy(text: string, resource: string): PolicyDocument {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalidPolicy(`it is not JSON (${(error as Error).message})`)
  }
  if (!isObject(value)) throw invalidPolicy('it is not an object')
  const { Version = '2008-10-17', Id, Statement } = value
  if (Version !== '2012-10-17' && Version !== '2008-10-17') throw invalidPolicy('Version is unknown')
  if (Id !== undefined && typeof Id !== 'string') throw invalidPolicy('Id is not a string')
  const unknown = Object.keys(value).find((member) => !['Version', 'Id', 'Statement'].includes(member))
  if (unknown !== undefined) throw invalidPolicy(`it has the unknown member "${unknown}"`)
  const statements: readonly unknown[] = Array.isArray(Statement) ? Statement : [Statement]
  if (statements.length === 0) throw invalidPolicy('it has no statement')
  for (const statement of statements) assertStatement(statement, resource)
  const list = statements as readonly PolicyStatement[]
  const ids = list.flatMap(({ Sid }) => (Sid === undefined ? [] : [Sid]))
  if (new Set(ids).size < ids.length) throw invalidPolicy('two statements have the same Sid')
  return { Version, ...(Id !== undefined && { Id }), Statement: list }
}
