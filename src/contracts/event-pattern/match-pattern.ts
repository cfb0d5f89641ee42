/** Whether an event has the form that a pattern asks for. Pure, and linear in the event for patterns without wildcards. */
import { inRange } from '#contracts/policy-evaluation/ip-range.ts'

import type { EventPattern, Field, NumericBound, Test } from './pattern.ts'

/** `event` is JSON. A list matches when one of its elements does, in all fields at once. */
export function matchesPattern(pattern: EventPattern, event: unknown): boolean {
  return matchesWithin(pattern, event, undefined)
}

/** `siblings`: the list that the event is an element of. */
function matchesWithin(
  pattern: EventPattern,
  event: unknown,
  siblings: readonly unknown[] | undefined,
): boolean {
  if (Array.isArray(event)) return event.some((item) => matchesWithin(pattern, item, event))
  if (!isObject(event)) return false
  return (
    pattern.fields.every((field) => fieldMatches(field, event, siblings)) &&
    pattern.alternatives.every((group) => group.some((one) => matchesWithin(one, event, siblings)))
  )
}

type JsonObject = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is JsonObject =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

function fieldMatches(field: Field, holder: JsonObject, siblings: readonly unknown[] | undefined): boolean {
  const value = Object.hasOwn(holder, field.name) ? holder[field.name] : undefined
  if ('tests' in field) {
    return field.tests.some((test) =>
      test.kind === 'exists' && !test.exists && siblings
        ? siblings.every((item) => !isObject(item) || !hasLeaf(item[field.name]))
        : testMatches(test, value),
    )
  }
  const { nested } = field
  if (value !== undefined && matchesWithin(nested, value, undefined)) return true
  const joined = dotted(field.name, holder)
  if (joined && matchesWithin(nested, joined, undefined)) return true
  // Nothing below a text, a number or an empty list exists either.
  return !joined && !hasMembers(value) && onlyAsksForAbsence(nested)
}

/** AWS joins names with dots: `{"a.b": 1}` is `{"a": {"b": 1}}` to a pattern. */
function dotted(name: string, holder: JsonObject): JsonObject | undefined {
  const start = `${name}.`
  let joined: Record<string, unknown> | undefined
  for (const key in holder) {
    if (key.length > start.length && key.startsWith(start))
      (joined ??= {})[key.slice(start.length)] = holder[key]
  }
  return joined
}

/** Every value that a pattern would look at under this path. */
export function valuesAt(event: unknown, path: readonly string[], depth = 0): readonly unknown[] {
  if (Array.isArray(event)) return event.flatMap((item) => valuesAt(item, path, depth))
  const name = path[depth]
  if (name === undefined) return [event]
  if (!isObject(event)) return []
  const own = Object.hasOwn(event, name) ? valuesAt(event[name], path, depth + 1) : []
  const joined = depth + 1 < path.length ? dotted(name, event) : undefined
  return joined ? [...own, ...valuesAt(joined, path, depth + 1)] : own
}

const hasMembers = (value: unknown): boolean =>
  Array.isArray(value) ? value.some(hasMembers) : isObject(value) && Object.keys(value).length > 0

/** A field that is to be missing is missing as well when the object around it is. */
const onlyAsksForAbsence = ({ fields, alternatives }: EventPattern): boolean =>
  fields.every((field) =>
    'nested' in field
      ? onlyAsksForAbsence(field.nested)
      : field.tests.some((test) => test.kind === 'exists' && !test.exists),
  ) && alternatives.every((group) => group.some(onlyAsksForAbsence))

/** `exists` looks at leaves only: an object is none (EventBridge's guide), nor is an empty list (recorded from AWS). */
const hasLeaf = (value: unknown): boolean =>
  Array.isArray(value) ? value.some(hasLeaf) : value !== undefined && !isObject(value)

function testMatches(test: Test, value: unknown): boolean {
  if (test.kind === 'exists') return hasLeaf(value) === test.exists
  // Also of anything-but one element is enough: AWS looks at each element as a value of the field of its own.
  return Array.isArray(value) ? value.some((item) => testMatches(test, item)) : scalarMatches(test, value)
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
