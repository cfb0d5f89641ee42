/** `{ $.selector = value && ... }`: patterns over log events that are JSON. */
import { createScanner, invalid, readExpression, type Scanner } from './scanner.ts'
import { readValueTest, type Operator } from './value-test.ts'

type Step = { readonly key: string } | { readonly index: number } | { readonly every: true }

/** What a selector leads to; several values when it has a wildcard. */
type Selector = (root: unknown) => readonly unknown[]
const MISSING = Symbol('missing')

const KEY = /[A-Za-z0-9_\-@$]+/y
const INDEX = /\d{1,9}/y
const OPERATORS: readonly Operator[] = ['!=', '<=', '>=', '=', '<', '>']

/** `body` is what stands between the braces. Throws `FilterPatternError`. */
export function parseJsonPattern(body: string): (message: string) => boolean {
  const scanner = createScanner(body)
  const test = readExpression<unknown>(scanner, () => readCondition(scanner))
  if (!scanner.atEnd()) throw invalid()
  return (message) => {
    // Most lines are no JSON; a look at the first character saves throwing an exception for each.
    const first = message.trimStart()[0]
    if (first !== '{' && first !== '[') return false
    let root: unknown
    try {
      root = JSON.parse(message)
    } catch {
      return false
    }
    return test(root)
  }
}

function readCondition(scanner: Scanner): (root: unknown) => boolean {
  const select = readSelector(scanner)
  const some = (test: (value: unknown) => boolean) => (root: unknown) => select(root).some(test)
  const exists = (value: unknown) => value !== MISSING
  if (takeWord(scanner, 'NOT')) {
    if (!takeWord(scanner, 'EXISTS')) throw invalid()
    return (root) => !select(root).some(exists)
  }
  if (takeWord(scanner, 'EXISTS')) return some(exists)
  if (takeWord(scanner, 'IS')) {
    const [, wanted] =
      (
        [
          ['NULL', null],
          ['TRUE', true],
          ['FALSE', false],
        ] as const
      ).find(([word]) => takeWord(scanner, word)) ?? []
    if (wanted === undefined) throw invalid()
    return some((value) => value === wanted)
  }
  const operator = OPERATORS.find((sign) => scanner.take(sign))
  if (operator === undefined) throw invalid()
  const test = readValueTest(scanner, operator)
  // Objects, arrays and what is missing satisfy no comparison, not even `!=` (AWS's documentation).
  return some((value) => {
    if (typeof value === 'string' || typeof value === 'number') return test(value)
    return typeof value === 'boolean' && test(String(value))
  })
}

/** Keywords in capitals, as the documentation writes them, or in small letters. */
const takeWord = (scanner: Scanner, word: string) =>
  scanner.match(new RegExp(`${word}(?![A-Za-z0-9_])`, 'iy')) !== undefined

function readSelector(scanner: Scanner): Selector {
  scanner.expect('$')
  const steps: Step[] = []
  for (;;) {
    if (scanner.take('.')) {
      if (scanner.peek('[')) continue
      const key = scanner.match(KEY)
      if (key === undefined) throw invalid()
      steps.push({ key })
    } else if (scanner.take('[')) {
      steps.push(readBracket(scanner))
      scanner.expect(']')
    } else break
  }
  if (steps.length === 0) throw invalid()
  return (root) =>
    steps.reduce<readonly unknown[]>((values, step) => values.flatMap((value) => follow(value, step)), [root])
}

function readBracket(scanner: Scanner): Step {
  if (scanner.take('*')) return { every: true }
  if (scanner.peek("'")) return { key: scanner.delimited("'") }
  if (scanner.peek('"')) return { key: scanner.quoted() }
  const index = scanner.match(INDEX)
  if (index === undefined) throw invalid()
  return { index: Number(index) }
}

function follow(value: unknown, step: Step): readonly unknown[] {
  if ('every' in step) return Array.isArray(value) ? value : [MISSING]
  if ('index' in step)
    return [Array.isArray(value) && step.index < value.length ? value[step.index] : MISSING]
  const has =
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, step.key)
  return [has ? (value as Record<string, unknown>)[step.key] : MISSING]
}
