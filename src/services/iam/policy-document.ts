/**
 * What IAM checks of a policy document before it keeps it. Order and texts as clients have recorded them; AWS checks
 * more (the grammar of each resource, the vendor of each condition key), which is left out.
 */
import { malformedPolicy } from './iam-errors.ts'

type JsonObject = Readonly<Record<string, unknown>>

const VERSIONS: ReadonlySet<unknown> = new Set(['2008-10-17', '2012-10-17'])
const TOP = new Set(['Version', 'Id', 'Statement'])
const IDENTITY = new Set(['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'])
const OPERATOR =
  /^(?:ForA(?:ny|ll)Values?:)?(?:String(?:Not)?(?:Equals(?:IgnoreCase)?|Like)|Numeric(?:(?:Not)?Equals|(?:Less|Greater)Than(?:Equals)?)|Date(?:(?:Not)?Equals|(?:Less|Greater)Than(?:Equals)?)|Bool|BinaryEquals|(?:Not)?IpAddress|Arn(?:Not)?(?:Equals|Like)|Null)(?:IfExists)?$/i

const syntaxError = () => malformedPolicy('Syntax errors in policy.')

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function parse(document: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(document)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Undefined when the statements are missing or are no objects. */
function statementsOf(policy: JsonObject): readonly JsonObject[] | undefined {
  const statements = Array.isArray(policy['Statement']) ? policy['Statement'] : [policy['Statement']]
  return statements.length > 0 && statements.every(isObject) ? statements : undefined
}

/** A text or a list of texts, as a list. Undefined when it is neither. */
function textsOf(value: unknown): readonly string[] | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.every((item) => typeof item === 'string') ? list : undefined
}

function hasGoodCondition(statement: JsonObject): boolean {
  const condition = statement['Condition']
  if (condition === undefined) return true
  if (!isObject(condition)) return false
  return Object.entries(condition).every(
    ([operator, tests]) =>
      isObject(tests) &&
      (OPERATOR.test(operator) || Object.keys(tests).length === 0) &&
      Object.values(tests).every((value) => isObject(value) === false),
  )
}

/** Throws MalformedPolicyDocument. For inline and managed policies. */
export function checkIdentityPolicy(document: string): void {
  const policy = parse(document)
  const statements = policy && statementsOf(policy)
  if (!policy || !statements) throw syntaxError()
  if (!Object.keys(policy).every((key) => TOP.has(key))) throw syntaxError()
  if (policy['Version'] !== undefined && !VERSIONS.has(policy['Version'])) throw syntaxError()
  if (policy['Id'] !== undefined && typeof policy['Id'] !== 'string') throw syntaxError()
  for (const statement of statements) checkStatementSyntax(statement)
  if (policy['Version'] !== '2012-10-17') {
    throw malformedPolicy('Policy document must be version 2012-10-17 or greater.')
  }
  if (statements.some(({ Effect }) => Effect !== 'Allow' && Effect !== 'Deny')) {
    throw malformedPolicy('The policy failed legacy parsing')
  }
  checkSids(statements)
  for (const statement of statements) checkActions(statement)
  for (const statement of statements) checkResources(statement)
}

function checkStatementSyntax(statement: JsonObject): void {
  const { Sid, Effect } = statement
  const known = Object.keys(statement).every((key) => IDENTITY.has(key))
  const doubled =
    ('Action' in statement && 'NotAction' in statement) ||
    ('Resource' in statement && 'NotResource' in statement)
  const texts = ['Action', 'NotAction', 'Resource', 'NotResource'].every(
    (key) => !(key in statement) || textsOf(statement[key]) !== undefined,
  )
  const effect = typeof Effect === 'string' && /^(?:allow|deny)$/i.test(Effect)
  const sid = Sid === undefined || typeof Sid === 'string'
  if (!known || doubled || !texts || !effect || !sid || !hasGoodCondition(statement)) throw syntaxError()
}

function checkSids(statements: readonly JsonObject[]): void {
  const sids = statements.map(({ Sid }) => Sid).filter((sid) => sid !== undefined && sid !== '')
  if (new Set(sids).size < sids.length) {
    throw malformedPolicy('Statement IDs (SID) in a single policy must be unique.')
  }
}

function checkActions(statement: JsonObject): void {
  const actions = textsOf(statement['Action'] ?? statement['NotAction']) ?? []
  if (actions.length === 0) throw malformedPolicy('Policy statement must contain actions.')
  for (const action of actions) {
    if (action === '*') continue
    const [vendor = '', name, ...rest] = action.split(':')
    if (name === undefined) {
      throw malformedPolicy('Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.')
    }
    if (rest.length > 0) throw malformedPolicy('Actions/Condition can contain only one colon.')
    if (/[^a-zA-Z0-9\-.]/.test(vendor) && vendor !== '*') {
      throw malformedPolicy(`Vendor ${vendor} is not valid`)
    }
  }
}

function checkResources(statement: JsonObject): void {
  const resources = textsOf(statement['Resource'] ?? statement['NotResource']) ?? []
  if (resources.length === 0) throw malformedPolicy('Policy statement must contain resources.')
  for (const resource of resources) {
    if (resource === '*') continue
    if (!resource.includes(':')) throw malformedPolicy(`Resource ${resource} must be in ARN format or "*".`)
    if (!/^arn:[^:]*:[^:]+:/.test(resource)) throw malformedPolicy('The policy failed legacy parsing')
  }
}

const TRUST_ACTION =
  /^sts:(?:assumerole|assumerolewith(?:saml|webidentity)|tagsession|setsourceidentity|setcontext|\*)$/i

/**
 * Throws MalformedPolicyDocument. For the policy that says who may assume a role. Recorded: the texts for JSON, for
 * Resource and for actions of other services; the others are unverified.
 */
export function checkTrustPolicy(document: string): void {
  const policy = parse(document)
  if (!policy) throw malformedPolicy('This policy contains invalid Json')
  const statements = statementsOf(policy)
  if (!statements) throw malformedPolicy('Could not parse the policy: Statement is empty!')
  if (policy['Version'] !== undefined && !VERSIONS.has(policy['Version'])) {
    throw malformedPolicy('The policy is not in the valid JSON format.')
  }
  for (const statement of statements) {
    for (const field of ['Resource', 'NotResource']) {
      if (field in statement) throw malformedPolicy(`Has prohibited field ${field}`)
    }
    if (statement['Effect'] !== 'Allow' && statement['Effect'] !== 'Deny') {
      throw malformedPolicy('Missing required field Effect')
    }
    const principal = statement['Principal'] ?? statement['NotPrincipal']
    if (principal === undefined) throw malformedPolicy('Missing required field Principal')
    checkPrincipal(principal)
    const actions = textsOf(statement['Action'] ?? statement['NotAction'])
    if (!actions || actions.length === 0) throw malformedPolicy('Missing required field Action')
    if (!actions.every((action) => TRUST_ACTION.test(action))) {
      throw malformedPolicy('AssumeRole policy may only specify STS AssumeRole actions.')
    }
    if (!hasGoodCondition(statement)) throw syntaxError()
  }
}

const PRINCIPALS = new Set(['AWS', 'Service', 'Federated', 'CanonicalUser'])

function checkPrincipal(principal: unknown): void {
  if (principal === '*') return
  if (!isObject(principal)) throw malformedPolicy('Invalid principal in policy.')
  for (const [kind, value] of Object.entries(principal)) {
    const texts = textsOf(value)
    if (!PRINCIPALS.has(kind) || !texts || texts.length === 0) {
      throw malformedPolicy('Invalid principal in policy.')
    }
    for (const text of texts) {
      if (kind === 'AWS' && !/^(?:\*|\d{12}|arn:aws[a-z-]*:(?:iam|sts)::.+|A[A-Z0-9]{15,})$/.test(text)) {
        throw malformedPolicy(`Invalid principal in policy: "AWS":"${text.slice(0, 256)}"`)
      }
      if (kind === 'Service' && !/^[a-z0-9.*-]+\.amazonaws\.com(?:\.cn)?$/.test(text)) {
        throw malformedPolicy(`Invalid principal in policy: "SERVICE":"${text.slice(0, 256)}"`)
      }
    }
  }
}

/** How AWS counts the size of a policy: characters without white space. */
export const policySize = (document: string) => document.replaceAll(/\s/g, '').length

/** Documents travel percent-encoded in IAM's answers (RFC 3986). */
export const encodeDocument = (document: string) =>
  encodeURIComponent(document).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
