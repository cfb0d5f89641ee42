/** Reads one condition of an event pattern: `{ "prefix": "a" }`, without the opening brace. Pure. */
import { parseRange } from '#contracts/policy-evaluation/ip-range.ts'

import type { Dialect } from './dialect.ts'
import { type JsonTokens, PatternError, type Token } from './json-tokens.ts'
import type { NumericBound, Test } from './pattern.ts'

const ONE_KEY = 'Only one key allowed in match expression'
/** More asterisks before the same character are refused. AWS counts the states of its automaton; its bound is unverified. */
const MAX_ALIKE = 4
/** Numbers of conditions lie within this, either way. */
const MAX_NUMBER = 5_000_000_000

export function parseCondition(tokens: JsonTokens, dialect: Dialect): Test {
  const token = tokens.next()
  if (token.kind !== 'name') throw tokens.fail('Match expression name not found')
  const operator = token.text
  if (!dialect.operators.has(operator)) throw tokens.fail(`Unrecognized match type ${operator}`)
  switch (operator) {
    case 'exactly':
      return closed(tokens, { kind: 'equals', value: textValue(tokens, 'exact') })
    case 'prefix':
    case 'suffix':
      return affix(tokens, operator, dialect)
    case 'equals-ignore-case':
      return closed(tokens, { kind: operator, text: textValue(tokens, operator).toLowerCase() })
    case 'wildcard':
      return closed(tokens, wildcard(tokens, textValue(tokens, operator)))
    case 'cidr':
      // AWS's own words for it.
      return closed(tokens, { kind: 'cidr', range: network(textValue(tokens, 'prefix')) })
    case 'numeric':
      return numeric(tokens)
    case 'exists': {
      const value = tokens.next()
      if (value.kind !== 'literal' || value.value === null) {
        throw tokens.fail('exists match pattern must be either true or false.')
      }
      return closed(tokens, { kind: 'exists', exists: value.value })
    }
    default:
      return anythingBut(tokens, dialect)
  }
}

function closed(tokens: JsonTokens, test: Test, message = ONE_KEY): Test {
  if (tokens.next().kind !== '}') throw tokens.fail(message)
  return test
}

function textValue(tokens: JsonTokens, operator: string, given = tokens.next()): string {
  if (given.kind !== 'string') throw tokens.fail(`${operator} match pattern must be a string`)
  return tokens.textOf(given)
}

function affix(tokens: JsonTokens, kind: 'prefix' | 'suffix', { nestsOperators }: Dialect): Test {
  const value = tokens.next()
  if (value.kind !== '{' || !nestsOperators)
    return closed(tokens, { kind, text: textValue(tokens, kind, value), ignoreCase: false })
  const name = tokens.next()
  const word = kind === 'prefix' ? 'Prefix' : 'Suffix'
  if (name.kind !== 'name') throw tokens.fail(`${word} expression name not found`)
  if (name.text !== 'equals-ignore-case') throw tokens.fail(`Unsupported ${kind} pattern: ${name.text}`)
  const text = textValue(tokens, 'equals-ignore-case').toLowerCase()
  return closed(tokens, closed(tokens, { kind, text, ignoreCase: true }))
}

/** Texts between the asterisks; `\*` and `\\` stand for themselves. Positions count bytes and the quote before the text. */
function wildcard(tokens: JsonTokens, text: string, times: 1 | 2 = 1): Test {
  const parts = ['']
  const positionOf = (index: number) => Buffer.byteLength(text.slice(0, index)) + 1
  const following = new Map<string, number>()
  for (let index = 0; index < text.length; index++) {
    let character = text.charAt(index)
    if (character === '*') {
      if (text[index + 1] === '*') {
        throw tokens.fail(`Consecutive wildcard characters at pos ${positionOf(index)}`, times)
      }
      const next = text[index + 1] ?? ''
      if (next !== '') following.set(next, (following.get(next) ?? 0) + 1)
      parts.push('')
      continue
    }
    if (character === '\\') {
      character = text[++index] ?? ''
      if (character !== '*' && character !== '\\') {
        throw tokens.fail(`Invalid escape character at pos ${positionOf(index - 1)}`, times)
      }
    }
    parts[parts.length - 1] += character
  }
  if ([...following.values()].some((count) => count > MAX_ALIKE)) {
    throw new PatternError(
      'Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character',
    )
  }
  return { kind: 'wildcard', parts }
}

/** These texts have no position (recorded). */
function network(text: string) {
  const [address = '', bits = '', ...more] = text.split('/')
  if (!text.includes('/') || more.length > 0) throw new PatternError("Malformed CIDR, one '/' required")
  if (!/^[+-]?\d+$/.test(bits)) throw new PatternError('Malformed CIDR, mask bits must be an integer')
  if (Number(bits) < 0) throw new PatternError('Malformed CIDR, mask bits must not be negative')
  const isV6 = address.includes(':')
  const range = parseRange(`${address}/0`)
  if (!range) throw new PatternError(`Nonstandard IP address: ${address}`)
  if (Number(bits) > (isV6 ? 127 : 31)) {
    throw new PatternError(isV6 ? 'IPv6 mask bits must be < 128' : 'IPv4 mask bits must be < 32')
  }
  return { ...range, prefixBits: Number(bits) }
}

function bound(tokens: JsonTokens, operator: string, token: Token): number {
  if (token.kind !== 'number') {
    throw tokens.fail(`Value of ${operator === '=' ? 'equals' : operator} must be numeric`)
  }
  return comparable(tokens, token.value)
}

function comparable(tokens: JsonTokens, value: number): number {
  if (Math.abs(value) > MAX_NUMBER) throw tokens.fail('Value must be between -5.0E9 and 5.0E9, inclusive')
  return value
}

function numeric(tokens: JsonTokens): Test {
  if (tokens.next().kind !== '[') throw tokens.fail('Value of numeric must be an array.')
  const first = tokens.next()
  const operator = tokens.textOf(first)
  if (first.kind !== 'string') throw tokens.fail(`Invalid member in numeric match: ${operator}`)
  // The number is read before the operator is looked at.
  const value = tokens.next()
  if (!isOperator(operator)) throw tokens.fail(`Unrecognized numeric range operator: ${operator}`)
  const bounds: NumericBound[] = [{ operator, value: bound(tokens, operator, value) }]
  const next = tokens.next()
  if (next.kind !== ']') {
    if (!operator.startsWith('>')) throw tokens.fail('Too many elements in numeric expression')
    bounds.push(upperBound(tokens, next, bounds[0]?.value ?? 0))
  }
  return closed(tokens, { kind: 'numeric', bounds }, 'Too many elements in numeric expression')
}

function upperBound(tokens: JsonTokens, token: Token, bottom: number): NumericBound {
  const operator = tokens.textOf(token)
  if (token.kind !== 'string') throw tokens.fail(`Bad value in numeric range: ${operator}`)
  if (operator !== '<' && operator !== '<=') throw tokens.fail(`Bad numeric range operator: ${operator}`)
  const value = bound(tokens, operator, tokens.next())
  if (tokens.next().kind !== ']') throw tokens.fail('Too many terms in numeric range expression')
  if (bottom >= value) throw tokens.fail('Bottom must be less than top')
  return { operator, value }
}

const isOperator = (text: string): text is NumericBound['operator'] =>
  ['=', '<', '<=', '>', '>='].includes(text)

const EXCLUDING = ['prefix', 'suffix', 'equals-ignore-case', 'wildcard'] as const
type Excluding = (typeof EXCLUDING)[number]
const MORE = 'Too many elements in numeric expression'

/** A value, values of one kind, or one operator on one or several texts. */
function anythingBut(tokens: JsonTokens, { nestsOperators }: Dialect): Test {
  let value = tokens.next()
  let operator: Excluding | undefined
  if (value.kind === '{') {
    const name = tokens.next()
    if (name.kind !== 'name') throw tokens.fail('Anything-But expression name not found')
    operator = EXCLUDING.find((known) => known === name.text)
    if (!operator || (operator !== 'prefix' && !nestsOperators)) {
      throw tokens.fail(`Unsupported anything-but pattern: ${name.text}`)
    }
    value = tokens.next()
    if (!nestsOperators && value.kind !== 'string') {
      throw tokens.fail('prefix match pattern must be a string')
    }
  }
  if (!['[', 'string', 'number'].includes(value.kind)) {
    throw tokens.fail('Value of anything-but must be an array or single string/number value.')
  }
  const tests: Test[] = []
  if (value.kind === '[') {
    for (let item = tokens.next(); item.kind !== ']'; item = tokens.next()) {
      tests.push(operator ? excluded(tokens, operator, item, 2) : plain(tokens, item))
    }
  } else tests.push(operator ? excluded(tokens, operator, value, 1) : plain(tokens, value))
  const kinds = new Set(tests.map((test) => (test.kind === 'equals' ? typeof test.value : test.kind)))
  if (!operator && kinds.size !== 1) {
    throw tokens.fail(
      'Inside anything but list, either all values are number or string, mixed type is not supported',
    )
  }
  const test: Test = { kind: 'anything-but', tests }
  const inner = closed(tokens, test, MORE)
  return operator ? closed(tokens, inner, MORE) : inner
}

function plain(tokens: JsonTokens, token: Token): Test {
  if (token.kind === 'string') return { kind: 'equals', value: tokens.textOf(token) }
  if (token.kind === 'number') return { kind: 'equals', value: comparable(tokens, token.value) }
  throw tokens.fail('Inside anything but list, start|null|boolean is not supported.', 2)
}

/** `times`: errors within a list are wrapped once more, and so have their position twice (recorded). */
function excluded(tokens: JsonTokens, operator: Excluding, token: Token, times: 1 | 2): Test {
  if (token.kind !== 'string') {
    const message = {
      'equals-ignore-case':
        'Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.',
      wildcard: 'wildcard match pattern must be a string',
      prefix: 'prefix/suffix match pattern must be a string',
      suffix: 'prefix/suffix match pattern must be a string',
    }[operator]
    throw tokens.fail(message, times)
  }
  const text = tokens.textOf(token)
  switch (operator) {
    case 'equals-ignore-case':
      return { kind: operator, text: text.toLowerCase() }
    case 'wildcard':
      return wildcard(tokens, text)
    default:
      if (text === '') throw tokens.fail('Null prefix/suffix not allowed', times)
      return { kind: operator, text, ignoreCase: false }
  }
}
