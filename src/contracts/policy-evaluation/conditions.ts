/** The Condition element: operators over the keys of a request. Pure. Source: IAM user guide, condition operators. */
import { arnMatches, compileArnPattern, type ArnPattern } from '#contracts/policy-evaluation/arn-pattern.ts'
import { parseRange, inRange, type AddressRange } from '#contracts/policy-evaluation/ip-range.ts'
import {
  compilePattern,
  matches,
  resolve,
  type ContextLookup,
  type Pattern,
} from '#contracts/policy-evaluation/wildcard.ts'

type SetOperator = 'ForAllValues' | 'ForAnyValue' | undefined

/** One operator with one key. All conditions of a statement must hold. */
export interface Condition {
  /** In lower case. */
  readonly key: string
  readonly set: SetOperator
  readonly ifExists: boolean
  readonly negated: boolean
  /** `Null`: whether the key must be absent. */
  readonly absent: boolean | undefined
  /** One value of the request against one of the policy; any of them may fit. */
  readonly tests: readonly Test[]
}

type Test = (value: string, context: ContextLookup) => boolean

type MakeTest = (value: string, variables: boolean) => Test | undefined

const onText =
  (wildcards: boolean, fold: (text: string) => string = (text) => text): MakeTest =>
  (value, variables) => {
    const pattern: Pattern = compilePattern(value, { wildcards, variables })
    if (wildcards) return (given, context) => matches(pattern, given, context)
    return (given, context) => {
      const wanted = resolve(pattern, context)
      return wanted !== undefined && fold(wanted) === fold(given)
    }
  }

const lowerCase = (text: string) => text.toLowerCase()

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/
const toNumber = (text: string) => (NUMBER.test(text.trim()) ? Number(text) : Number.NaN)

const DATE = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/
/** Milliseconds; dates are ISO 8601 or epoch seconds. */
function toTime(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000
  if (!DATE.test(text)) return Number.NaN
  // Without a zone it is UTC.
  return Date.parse(/T.*(?:Z|[+-]\d{2}:?\d{2})$/.test(text) || !text.includes('T') ? text : `${text}Z`)
}

const onOrder =
  (parse: (text: string) => number, holds: (given: number, wanted: number) => boolean): MakeTest =>
  (value, variables) => {
    const pattern = compilePattern(value, { wildcards: false, variables })
    const fixed = pattern.runs && parse(value)
    if (fixed !== undefined && Number.isNaN(fixed)) return undefined
    return (given, context) => {
      const left = parse(given)
      const right = fixed ?? parse(resolve(pattern, context) ?? '')
      return !Number.isNaN(left) && !Number.isNaN(right) && holds(left, right)
    }
  }

const onArn: MakeTest = (value, variables) => {
  const pattern: ArnPattern | undefined = compileArnPattern(value, variables)
  // A text that is no ARN fits none.
  return pattern ? (given, context) => arnMatches(pattern, given, context) : () => false
}

const onAddress: MakeTest = (value) => {
  const range: AddressRange | undefined = parseRange(value)
  return range && ((given) => inRange(given, range))
}

interface Operator {
  readonly make: MakeTest
  readonly negated: boolean
}

const plain = (make: MakeTest): Operator => ({ make, negated: false })
const not = (make: MakeTest): Operator => ({ make, negated: true })
const equal = (left: number, right: number) => left === right
const below = (left: number, right: number) => left < right
const upTo = (left: number, right: number) => left <= right
const above = (left: number, right: number) => left > right
const from = (left: number, right: number) => left >= right

const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['StringEquals', plain(onText(false))],
  ['StringNotEquals', not(onText(false))],
  ['StringEqualsIgnoreCase', plain(onText(false, lowerCase))],
  ['StringNotEqualsIgnoreCase', not(onText(false, lowerCase))],
  ['StringLike', plain(onText(true))],
  ['StringNotLike', not(onText(true))],
  ['NumericEquals', plain(onOrder(toNumber, equal))],
  ['NumericNotEquals', not(onOrder(toNumber, equal))],
  ['NumericLessThan', plain(onOrder(toNumber, below))],
  ['NumericLessThanEquals', plain(onOrder(toNumber, upTo))],
  ['NumericGreaterThan', plain(onOrder(toNumber, above))],
  ['NumericGreaterThanEquals', plain(onOrder(toNumber, from))],
  ['DateEquals', plain(onOrder(toTime, equal))],
  ['DateNotEquals', not(onOrder(toTime, equal))],
  ['DateLessThan', plain(onOrder(toTime, below))],
  ['DateLessThanEquals', plain(onOrder(toTime, upTo))],
  ['DateGreaterThan', plain(onOrder(toTime, above))],
  ['DateGreaterThanEquals', plain(onOrder(toTime, from))],
  ['Bool', plain(onText(false, lowerCase))],
  ['BinaryEquals', plain(onText(false))],
  ['IpAddress', plain(onAddress)],
  ['NotIpAddress', not(onAddress)],
  ['ArnEquals', plain(onArn)],
  ['ArnLike', plain(onArn)],
  ['ArnNotEquals', not(onArn)],
  ['ArnNotLike', not(onArn)],
])

interface OperatorName {
  readonly set: SetOperator
  readonly base: string
  readonly ifExists: boolean
}

const IN_LOWER_CASE: ReadonlyMap<string, Operator> = new Map(
  [...OPERATORS].map(([name, operator]) => [name.toLowerCase(), operator]),
)
const OPERATOR_NAME = /^(?:(forallvalues?|foranyvalues?):)?([a-z]+?)(ifexists)?$/

/** Takes `ForAnyValue:StringLikeIfExists` apart; undefined for an operator that does not exist. Case is not looked at. */
function parseOperator(text: string): OperatorName | undefined {
  const found = OPERATOR_NAME.exec(text.toLowerCase())
  const base = found?.[2]
  if (!found || base === undefined) return undefined
  const set: SetOperator =
    found[1] === undefined ? undefined : found[1].startsWith('forall') ? 'ForAllValues' : 'ForAnyValue'
  return base === 'null' || IN_LOWER_CASE.has(base)
    ? { set, base, ifExists: found[3] !== undefined }
    : undefined
}

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'

/** The values of a condition as texts; undefined when one is neither text, number nor boolean. */
function conditionValues(value: unknown): readonly string[] | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.every(isScalar) ? list.map(String) : undefined
}

/** Undefined when the operator, or a value, is none that we know. */
export function compileCondition(
  operatorText: string,
  { key, value, variables }: { readonly key: string; readonly value: unknown; readonly variables: boolean },
): Condition | undefined {
  const name = parseOperator(operatorText)
  const values = conditionValues(value)
  if (!name || !values) return undefined
  const { set, ifExists } = name
  const shared = { key: key.toLowerCase(), set, ifExists }
  if (name.base === 'null') {
    const wanted = values.map(lowerCase)
    if (wanted.length !== 1 || (wanted[0] !== 'true' && wanted[0] !== 'false')) return undefined
    return { ...shared, negated: false, absent: wanted[0] === 'true', tests: [] }
  }
  const operator = IN_LOWER_CASE.get(name.base)
  if (!operator) return undefined
  const tests = values.map((text) => operator.make(text, variables))
  if (tests.some((test) => test === undefined)) return undefined
  return { ...shared, negated: operator.negated, absent: undefined, tests: tests as readonly Test[] }
}

export function holds(condition: Condition, context: ContextLookup): boolean {
  const { set, negated, tests, absent } = condition
  const values = context(condition.key)
  const missing = values === undefined || values.length === 0
  if (absent !== undefined) return absent === missing
  if (missing) {
    if (condition.ifExists || set === 'ForAllValues') return true
    // A key that is not there differs from everything; but no value of it does, which is what ForAnyValue asks for.
    return negated && set === undefined
  }
  const fits = (value: string) => tests.some((test) => test(value, context))
  const differs = (value: string) => !fits(value)
  if (set === 'ForAllValues') return values.every(negated ? differs : fits)
  if (set === 'ForAnyValue') return values.some(negated ? differs : fits)
  return negated ? values.every(differs) : values.some(fits)
}
