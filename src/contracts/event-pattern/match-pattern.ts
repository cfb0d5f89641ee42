/** Whether an event has the form that a pattern asks for. Pure, and linear in the event for patterns without wildcards. */
import { inRange } from '#contracts/policy-evaluation/ip-range.ts'

import type { EventPattern, Field, NumericBound, Test } from './pattern.ts'

/** `event` is JSON. A list matches when one of its elements does. */
export function matchesPattern({ fields, alternatives }: EventPattern, event: unknown): boolean {
  if (Array.isArray(event)) return event.some((item) => matchesPattern({ fields, alternatives }, item))
  if (event === null || typeof event !== 'object') return false
  const holder = event as Readonly<Record<string, unknown>>
  return (
    fields.every((field) => fieldMatches(field, holder)) &&
    (alternatives.length === 0 || alternatives.some((alternative) => matchesPattern(alternative, event)))
  )
}

function fieldMatches(field: Field, holder: Readonly<Record<string, unknown>>): boolean {
  const value = Object.hasOwn(holder, field.name) ? holder[field.name] : undefined
  if ('nested' in field) {
    return value === undefined ? onlyAsksForAbsence(field.nested) : matchesPattern(field.nested, value)
  }
  return field.tests.some((test) => testMatches(test, value))
}

/** A field that is to be missing is missing as well when the object around it is. */
const onlyAsksForAbsence = ({ fields, alternatives }: EventPattern): boolean =>
  fields.every((field) =>
    'nested' in field
      ? onlyAsksForAbsence(field.nested)
      : field.tests.some((test) => test.kind === 'exists' && !test.exists),
  ) &&
  (alternatives.length === 0 || alternatives.some(onlyAsksForAbsence))

/** `exists` looks at leaves only: an object is none (EventBridge's guide). */
const isLeaf = (value: unknown) =>
  value !== undefined && (value === null || typeof value !== 'object' || Array.isArray(value))

function testMatches(test: Test, value: unknown): boolean {
  if (test.kind === 'exists') return isLeaf(value) === test.exists
  if (Array.isArray(value)) {
    return test.kind === 'anything-but'
      ? value.every((item) => scalarMatches(test, item))
      : value.some((item) => scalarMatches(test, item))
  }
  return scalarMatches(test, value)
}

function scalarMatches(test: Test, value: unknown): boolean {
  if (value === undefined || (value !== null && typeof value === 'object')) return false
  switch (test.kind) {
    case 'equals':
      return value === test.value
    case 'anything-but':
      return !test.tests.some((excluded) => scalarMatches(excluded, value))
    case 'numeric':
      return typeof value === 'number' && test.bounds.every((bound) => withinBound(bound, value))
    case 'exists':
      return test.exists
    default:
      return typeof value === 'string' && textMatches(test, value)
  }
}

type TextTest = Extract<Test, { kind: 'equals-ignore-case' | 'prefix' | 'suffix' | 'wildcard' | 'cidr' }>

function textMatches(test: TextTest, text: string): boolean {
  switch (test.kind) {
    case 'equals-ignore-case':
      return text.toLowerCase() === test.text
    case 'prefix':
      return (test.ignoreCase ? text.toLowerCase() : text).startsWith(test.text)
    case 'suffix':
      return (test.ignoreCase ? text.toLowerCase() : text).endsWith(test.text)
    case 'cidr':
      return inRange(text, test.range)
    case 'wildcard':
      return wildcardMatches(test.parts, text)
  }
}

/** The parts in their order, the first at the start and the last at the end; no backtracking. */
function wildcardMatches(parts: readonly string[], text: string): boolean {
  const [first = '', ...rest] = parts
  const last = rest.pop()
  if (last === undefined) return text === first
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last))
    return false
  let from = first.length
  const end = text.length - last.length
  for (const part of rest) {
    const at = text.indexOf(part, from)
    if (at === -1 || at + part.length > end) return false
    from = at + part.length
  }
  return true
}

function withinBound({ operator, value }: NumericBound, number: number): boolean {
  switch (operator) {
    case '=':
      return number === value
    case '<':
      return number < value
    case '<=':
      return number <= value
    case '>':
      return number > value
    case '>=':
      return number >= value
  }
}
