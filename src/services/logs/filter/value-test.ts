/** Comparisons of one value, as JSON and space-delimited patterns share them. */
import { FilterPatternError } from './filter-error.ts'
import { compileRegex } from './linear-regex.ts'
import type { Scanner } from './scanner.ts'

export type Operator = '=' | '!=' | '<' | '>' | '<=' | '>='

/** True when the text (or number, written as text) satisfies the comparison. */
export type ValueTest = (value: string | number) => boolean

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/
/** An unquoted value ends at white space and at whatever continues an expression. */
const BARE = /[^\s()&|,\]}"%=<>!]+/y

const asNumber = (value: string | number) =>
  typeof value === 'number' ? value : NUMBER.test(value) ? Number(value) : Number.NaN

/** Reads what stands right of an operator. Throws `FilterPatternError`. */
export function readValueTest(scanner: Scanner, operator: Operator): ValueTest {
  const equals = readEquals(scanner, operator)
  return operator === '!=' ? (value) => !equals(value) : equals
}

function readEquals(scanner: Scanner, operator: Operator): ValueTest {
  const comparesOrder = operator !== '=' && operator !== '!='
  if (!comparesOrder && scanner.peek('%')) {
    const matches = compileRegex(scanner.delimited('%'))
    return (value) => matches(String(value))
  }
  if (!comparesOrder && scanner.peek('"')) return textTest(scanner.quoted())
  const bare = scanner.match(BARE)
  if (bare === undefined) throw new FilterPatternError('Invalid filter pattern')
  if (comparesOrder) return orderTest(operator, bare)
  if (!NUMBER.test(bare)) return textTest(bare)
  const number = Number(bare)
  return (value) => asNumber(value) === number || value === bare
}

function orderTest(operator: '<' | '>' | '<=' | '>=', bare: string): ValueTest {
  if (!NUMBER.test(bare)) throw new FilterPatternError('Invalid filter pattern')
  const limit = Number(bare)
  return (value) => {
    const number = asNumber(value)
    switch (operator) {
      case '<':
        return number < limit
      case '>':
        return number > limit
      case '<=':
        return number <= limit
      case '>=':
        return number >= limit
    }
  }
}

/** `*` stands for any text, at every place where it occurs. */
function textTest(pattern: string): ValueTest {
  if (!pattern.includes('*')) return (value) => String(value) === pattern
  const parts = pattern.split('*')
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  const middle = parts.slice(1, -1)
  return (value) => {
    const text = String(value)
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
      return false
    let at = first.length
    const end = text.length - last.length
    for (const part of middle) {
      const found = text.indexOf(part, at)
      if (found === -1 || found + part.length > end) return false
      at = found + part.length
    }
    return true
  }
}
