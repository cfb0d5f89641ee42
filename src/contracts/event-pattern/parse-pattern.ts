/** Reads event patterns. Pure. What EventBridge refuses is refused: empty objects and lists, unknown operators. */
import { parseRange } from '#contracts/policy-evaluation/ip-range.ts'

import type { EventPattern, Field, NumericBound, Test } from './pattern.ts'

class Malformed extends Error {}

type JsonObject = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is JsonObject =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

/** The pattern, or undefined when the text is none. */
export function parsePattern(text: string): EventPattern | undefined {
  try {
    return patternOf(JSON.parse(text))
  } catch (error) {
    if (error instanceof Malformed || error instanceof SyntaxError) return undefined
    throw error
  }
}

function patternOf(json: unknown): EventPattern {
  if (!isObject(json)) throw new Malformed('A pattern is an object')
  const entries = Object.entries(json)
  if (entries.length === 0) throw new Malformed('A pattern names a field')
  const fields: Field[] = []
  let alternatives: readonly EventPattern[] = []
  for (const [name, value] of entries) {
    if (name === '$or' && isAlternatives(value)) alternatives = value.map(patternOf)
    else fields.push(fieldOf(name, value))
  }
  return { fields, alternatives }
}

/** A field may be called `$or` too; its list then holds values. */
const isAlternatives = (value: unknown): value is readonly JsonObject[] =>
  Array.isArray(value) &&
  value.length > 1 &&
  value.every((item) => isObject(item) && !Object.keys(item).some((key) => key in OPERATORS))

function fieldOf(name: string, value: unknown): Field {
  if (isObject(value)) return { name, nested: patternOf(value) }
  if (!Array.isArray(value) || value.length === 0) throw new Malformed('A field has a list of conditions')
  return { name, tests: value.map(testOf) }
}

function testOf(value: unknown): Test {
  if (isScalar(value)) return { kind: 'equals', value }
  if (!isObject(value)) throw new Malformed('A condition is a value or an operator')
  const [entry, ...more] = Object.entries(value)
  const parse = entry && Object.hasOwn(OPERATORS, entry[0]) ? OPERATORS[entry[0]] : undefined
  if (!entry || !parse || more.length > 0) throw new Malformed('A condition has one operator')
  return parse(entry[1])
}

const isScalar = (value: unknown): value is string | number | boolean | null =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value)

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new Malformed('The operator takes a text')
  return value
}

const OPERATORS: Readonly<Record<string, (value: unknown) => Test>> = {
  prefix: (value) => affix('prefix', value),
  suffix: (value) => affix('suffix', value),
  'equals-ignore-case': (value) => ({ kind: 'equals-ignore-case', text: textOf(value).toLowerCase() }),
  wildcard: (value) => ({ kind: 'wildcard', parts: wildcardParts(textOf(value)) }),
  numeric: (value) => ({ kind: 'numeric', bounds: boundsOf(value) }),
  cidr: (value) => networkOf(textOf(value)),
  exists(value) {
    if (typeof value !== 'boolean') throw new Malformed('exists is true or false')
    return { kind: 'exists', exists: value }
  },
  'anything-but': (value) => ({ kind: 'anything-but', tests: excluded(value) }),
}

function affix(kind: 'prefix' | 'suffix', value: unknown): Test {
  if (!isObject(value)) return { kind, text: textOf(value), ignoreCase: false }
  if (Object.keys(value).length !== 1) throw new Malformed('One operator at a time')
  return { kind, text: textOf(value['equals-ignore-case']).toLowerCase(), ignoreCase: true }
}

/** What anything-but excludes: a value, values of one kind, or one operator on texts. */
function excluded(value: unknown): readonly Test[] {
  if (isObject(value)) {
    const [entry, ...more] = Object.entries(value)
    if (!entry || more.length > 0 || !EXCLUDING.has(entry[0])) throw new Malformed('Unknown exclusion')
    const [operator, operand] = entry
    const list = Array.isArray(operand) ? operand : [operand]
    if (list.length === 0) throw new Malformed('An exclusion names something')
    return list.map((item) => testOf({ [operator]: item }))
  }
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  const kinds = new Set(list.map((item) => typeof item))
  if (list.length === 0 || kinds.size !== 1 || !(kinds.has('string') || kinds.has('number'))) {
    throw new Malformed('anything-but takes texts or numbers')
  }
  return list.map(testOf)
}

const EXCLUDING = new Set(['prefix', 'suffix', 'equals-ignore-case', 'wildcard'])

/** Texts between the asterisks; `\*` and `\\` stand for themselves. */
function wildcardParts(text: string): readonly string[] {
  const parts = ['']
  for (let index = 0; index < text.length; index++) {
    let character = text[index] ?? ''
    if (character === '*') {
      if (text[index + 1] === '*') throw new Malformed('Asterisks do not stand side by side')
      parts.push('')
      continue
    }
    if (character === '\\') {
      character = text[++index] ?? ''
      if (character !== '*' && character !== '\\') throw new Malformed('Unknown escape')
    }
    parts[parts.length - 1] += character
  }
  return parts
}

function boundsOf(value: unknown): readonly NumericBound[] {
  if (!Array.isArray(value) || (value.length !== 2 && value.length !== 4)) {
    throw new Malformed('numeric takes one or two comparisons')
  }
  const bounds: NumericBound[] = []
  for (let index = 0; index < value.length; index += 2) {
    const operator: unknown = value[index]
    const number: unknown = value[index + 1]
    if (!isOperator(operator) || typeof number !== 'number') throw new Malformed('Unknown comparison')
    bounds.push({ operator, value: number })
  }
  const [lower, upper] = bounds
  if (lower && upper && !(lower.operator.startsWith('>') && upper.operator.startsWith('<'))) {
    throw new Malformed('Of two comparisons the first is the lower one')
  }
  if (lower && upper && lower.value >= upper.value) throw new Malformed('The range is empty')
  return bounds
}

const isOperator = (value: unknown): value is NumericBound['operator'] =>
  typeof value === 'string' && ['=', '<', '<=', '>', '>='].includes(value)

function networkOf(text: string): Test {
  const range = text.includes('/') ? parseRange(text) : undefined
  if (!range) throw new Malformed('No address block')
  return { kind: 'cidr', range }
}
