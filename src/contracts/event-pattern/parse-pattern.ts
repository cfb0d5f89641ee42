/**
 * Reads event patterns. Pure. What EventBridge refuses is refused with its words and positions: recorded answers where there
 * are some, else what AWS's published matcher (aws/event-ruler) is known to say.
 */
import { EVENTBRIDGE, type Dialect } from './dialect.ts'
import { createJsonTokens, type JsonTokens, PatternError, type Token } from './json-tokens.ts'
import { parseCondition } from './parse-condition.ts'
import type { EventPattern, Field, Test } from './pattern.ts'

/** No names of fields within `$or` (event-ruler). */
const RESERVED = new Set(
  'exactly equals-ignore-case prefix suffix anything-but exists wildcard numeric cidr = < <= > >= regex not-wildcard not-equals-ignore-case date-after date-on-or-after date-before date-on-or-before in-date-range ip-address-in-range ip-address-not-in-range'.split(
    ' ',
  ),
)

/** The pattern. Throws a `PatternError` whose message is what EventBridge says after "Reason: ". */
export function readPattern(text: string, dialect = EVENTBRIDGE): EventPattern {
  const tokens = createJsonTokens(text)
  if (tokens.next().kind !== '{') throw tokens.fail('Filter is not an object')
  return patternOf(tokens, dialect)
}

/** The pattern, or undefined when the text is none. */
export function parsePattern(text: string): EventPattern | undefined {
  try {
    return readPattern(text)
  } catch (error) {
    if (error instanceof PatternError) return undefined
    throw error
  }
}

function patternOf(tokens: JsonTokens, dialect: Dialect, withinOr = false): EventPattern {
  const fields = new Map<string, Field>()
  const alternatives: (readonly EventPattern[])[] = []
  let isEmpty = true
  for (let token = tokens.next(); token.kind !== '}'; token = tokens.next()) {
    isEmpty = false
    const name = tokens.textOf(token)
    if (withinOr && RESERVED.has(name)) {
      throw tokens.fail(`${name} is Ruler reserved fieldName which cannot be used inside $or.`)
    }
    const value = tokens.next()
    if (value.kind === '{') put(fields, name, { name, nested: patternOf(tokens, dialect, withinOr) })
    else if (value.kind === '[') {
      const list = listOf(tokens, dialect, name === '$or')
      if ('patterns' in list) alternatives.push(list.patterns)
      else put(fields, name, { name, tests: list.tests })
    } else throw tokens.fail(`"${name}" must be an object or an array`)
  }
  if (isEmpty) throw tokens.fail('Empty objects are not allowed')
  return { fields: [...fields.values()], alternatives }
}

/** `a.b` goes into `a`; what is there under the same name is joined, so that one element of a list has to match all of it. */
function put(fields: Map<string, Field>, name: string, field: Field): void {
  const dot = name.indexOf('.')
  if (dot === -1) {
    const before = fields.get(name)
    const joined =
      before && 'nested' in before && 'nested' in field
        ? { name, nested: join(before.nested, field.nested) }
        : { ...field, name }
    fields.set(name, joined)
    return
  }
  const inner = new Map<string, Field>()
  put(inner, name.slice(dot + 1), field)
  const outer = name.slice(0, dot)
  put(fields, outer, { name: outer, nested: { fields: [...inner.values()], alternatives: [] } })
}

function join(left: EventPattern, right: EventPattern): EventPattern {
  const fields = new Map(left.fields.map((field) => [field.name, field]))
  for (const field of right.fields) put(fields, field.name, field)
  return { fields: [...fields.values()], alternatives: [...left.alternatives, ...right.alternatives] }
}

/**
 * The conditions of a field, or the patterns of `$or`. A field may be called `$or` too: its list then begins with a value.
 */
function listOf(
  tokens: JsonTokens,
  dialect: Dialect,
  maybeOr: boolean,
): { readonly tests: readonly Test[] } | { readonly patterns: readonly EventPattern[] } {
  const tests: Test[] = []
  const patterns: EventPattern[] = []
  for (let token = tokens.next(); token.kind !== ']'; token = tokens.next()) {
    if (token.kind !== '{') tests.push(valueOf(tokens, token))
    else if (maybeOr && tests.length === 0) patterns.push(patternOf(tokens, dialect, true))
    else tests.push(parseCondition(tokens, dialect))
  }
  if (patterns.length > 0) {
    if (tests.length > 0) {
      throw tokens.fail('Only JSON object is allowed in array of $or relationship.')
    }
    if (patterns.length < 2) throw tokens.fail('There must have at least 2 Objects in $or relationship.')
    return { patterns }
  }
  if (tests.length === 0) throw tokens.fail('Empty arrays are not allowed')
  return { tests }
}

function valueOf(tokens: JsonTokens, token: Token): Test {
  switch (token.kind) {
    case 'string':
      return { kind: 'equals', value: tokens.textOf(token) }
    case 'number':
    case 'literal':
      return { kind: 'equals', value: token.value }
    default:
      throw tokens.fail('Match value must be String, number, true, false, or null')
  }
}
