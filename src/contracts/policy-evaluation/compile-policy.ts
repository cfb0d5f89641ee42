/** Makes a policy document ready for the evaluator. Pure. */
import { compileCondition, type Condition } from '#contracts/policy-evaluation/conditions.ts'
import type { Matched, Policy, PrincipalMember, Statement } from '#contracts/policy-evaluation/policy.ts'
import { compilePattern, type Pattern } from '#contracts/policy-evaluation/wildcard.ts'

type Members = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Members =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

const own = (members: Members, name: string): unknown =>
  Object.hasOwn(members, name) ? members[name] : undefined

function texts(value: unknown): readonly string[] | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.every((item) => typeof item === 'string') ? list : undefined
}

/** Undefined: neither is there. Null: it can't be understood. */
function either<Member>(
  statement: Members,
  name: string,
  compile: (value: unknown) => readonly Member[] | undefined,
): Matched<Member> | undefined | null {
  const plain = own(statement, name)
  const not = own(statement, `Not${name}`)
  if (plain === undefined && not === undefined) return undefined
  if (plain !== undefined && not !== undefined) return null
  const members = compile(plain ?? not)
  return members ? { negated: plain === undefined, members } : null
}

const ROOT = /^arn:aws[a-zA-Z-]*:iam::(\d{12}):root$/
const ACCOUNT = /^\d{12}$/

function principalMember(type: string, text: string): PrincipalMember | undefined {
  switch (type) {
    case 'AWS': {
      if (text === '*') return { kind: 'everyone' }
      const account = ACCOUNT.test(text) ? text : ROOT.exec(text)?.[1]
      return account === undefined ? { kind: 'identity', arn: text } : { kind: 'account', account }
    }
    case 'Service':
      return { kind: 'service', name: text }
    case 'Federated':
      return { kind: 'federated', provider: text }
    case 'CanonicalUser':
      return { kind: 'nobody' }
    default:
      return undefined
  }
}

function principalMembers(value: unknown): readonly PrincipalMember[] | undefined {
  if (value === '*') return [{ kind: 'everyone' }]
  if (!isObject(value)) return undefined
  const members: PrincipalMember[] = []
  for (const [type, given] of Object.entries(value)) {
    for (const text of texts(given) ?? [undefined]) {
      const member = text === undefined ? undefined : principalMember(type, text)
      if (!member) return undefined
      members.push(member)
    }
  }
  return members
}

const patterns = (value: unknown, compile: (text: string) => Pattern) => texts(value)?.map(compile)

/** Null when one of them can't be understood. */
function conditionsOf(value: unknown, variables: boolean): readonly Condition[] | null {
  if (value === undefined) return []
  if (!isObject(value)) return null
  const conditions: Condition[] = []
  for (const [operator, keys] of Object.entries(value)) {
    if (!isObject(keys)) return null
    for (const [key, wanted] of Object.entries(keys)) {
      const condition = compileCondition(operator, { key, value: wanted, variables })
      if (!condition) return null
      conditions.push(condition)
    }
  }
  return conditions
}

const EVERYTHING: Matched<Pattern> = {
  negated: false,
  members: [compilePattern('*', { wildcards: true, variables: false })],
}

/** Undefined when what it allows can't be understood; a denial takes everything for meant that can't. */
function compileStatement(
  value: unknown,
  variables: boolean,
): { readonly statement?: Statement; readonly broken: boolean } {
  if (!isObject(value)) return { broken: true }
  const effect = own(value, 'Effect')
  const sid = own(value, 'Sid')
  const actions = either(value, 'Action', (given) =>
    patterns(given, (text) => compilePattern(text.toLowerCase(), { wildcards: true, variables: false })),
  )
  const resources = either(value, 'Resource', (given) =>
    patterns(given, (text) => compilePattern(text, { wildcards: true, variables })),
  )
  const principals = either(value, 'Principal', principalMembers)
  const conditions = conditionsOf(own(value, 'Condition'), variables)
  const broken = !actions || resources === null || principals === null || conditions === null
  const rest = { sid: typeof sid === 'string' ? sid : undefined }
  if (effect === 'Deny') {
    const statement: Statement = {
      ...rest,
      effect,
      actions: actions ?? EVERYTHING,
      resources: resources === null ? EVERYTHING : resources,
      principals: principals === null ? { negated: false, members: [{ kind: 'everyone' }] } : principals,
      conditions: conditions ?? [],
    }
    return { statement, broken }
  }
  if (effect !== 'Allow' || broken) return { broken: true }
  return { statement: { ...rest, effect, actions, resources, principals, conditions }, broken: false }
}

/** Never throws. Documents that were checked when they were written come through whole. */
export function compilePolicy(document: unknown): Policy {
  if (!isObject(document)) return { statements: [], broken: true }
  const variables = own(document, 'Version') === '2012-10-17'
  const given = own(document, 'Statement')
  const list: readonly unknown[] = Array.isArray(given) ? given : given === undefined ? [] : [given]
  const compiled = list.map((statement) => compileStatement(statement, variables))
  return {
    statements: compiled.flatMap(({ statement }) => (statement ? [statement] : [])),
    broken: compiled.some(({ broken }) => broken),
  }
}

/** The same from JSON text; text that is none is a broken policy. */
export function compilePolicyText(text: string): Policy {
  try {
    return compilePolicy(JSON.parse(text))
  } catch {
    return { statements: [], broken: true }
  }
}
