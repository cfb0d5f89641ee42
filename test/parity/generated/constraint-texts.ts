/**
 * What AWS says of a value that breaks a constraint, written down from recorded answers and not from the program: the
 * sentences, their order (upper bound, lower bound, pattern, enum), and how Java prints what was sent.
 */
import type { ServiceModel, Shape } from '#wire/model.ts'

import { shapeOf, wholeMatch } from './valid-values.ts'

/** Longer texts are cut by the program; where AWS cuts is not known. */
export const LONGEST_QUOTE = 4096
const NOT_NULL = 'Member must not be null'

interface Constraint {
  readonly text: string
  readonly holds: (value: unknown) => boolean
}

/** Of a shape itself, not of what is in it. */
function constraintsOf(shape: Shape): Constraint[] {
  const out: Constraint[] = []
  if ('max' in shape || 'min' in shape) {
    const isNumber = shape.type === 'integer' || shape.type === 'long' || shape.type === 'double'
    const what = isNumber ? 'value' : 'length'
    const printed = (bound: number) => (shape.type === 'double' ? java(bound) : String(bound))
    const { max, min } = shape
    if (max !== undefined) {
      out.push({
        text: `Member must have ${what} less than or equal to ${printed(max)}`,
        holds: (value) => sizeOf(value) <= max,
      })
    }
    if (min !== undefined) {
      out.push({
        text: `Member must have ${what} greater than or equal to ${printed(min)}`,
        holds: (value) => sizeOf(value) >= min,
      })
    }
  }
  if (shape.type === 'string' && shape.pattern !== undefined) {
    const whole = wholeMatch(shape.pattern)
    out.push({
      text: `Member must satisfy regular expression pattern: ${shape.pattern}`,
      holds: (value) => whole.test(value as string),
    })
  }
  if (shape.type === 'string' && shape.enum !== undefined) {
    const values = shape.enum
    out.push({
      text: `Member must satisfy enum value set: [${values.join(', ')}]`,
      holds: (value) => values.includes(value as string),
    })
  }
  return out
}

function sizeOf(value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value === 'string' || Array.isArray(value)) return value.length
  return Object.keys(value as object).length
}

/** A double has a fraction. */
const java = (value: number) => (Number.isInteger(value) ? value.toFixed(1) : String(value))

function printed(model: ServiceModel, name: string, value: unknown): string {
  const shape = shapeOf(model, name)
  if (value === null) return 'null'
  if (shape.type === 'list') {
    return `[${(value as unknown[]).map((item) => printed(model, shape.member, item)).join(', ')}]`
  }
  if (shape.type === 'map') {
    const pairs = Object.entries(value as object)
    return `{${pairs.map(([key, item]) => `${key}=${printed(model, shape.value, item)}`).join(', ')}}`
  }
  if (shape.type === 'structure') {
    const pairs = Object.entries(value as object)
    return `{${pairs.map(([key, item]) => `${key}=${String(item)}`).join(', ')}}`
  }
  return shape.type === 'double' ? java(value as number) : String(value)
}

const isSilent = (model: ServiceModel, name: string): boolean => {
  const shape = shapeOf(model, name)
  if (shape.sensitive === true) return true
  if (shape.type === 'list') return shapeOf(model, shape.member).sensitive === true
  if (shape.type !== 'map') return false
  return [shape.key, shape.value].some((part) => shapeOf(model, part).sensitive === true)
}

const sentence = (subject: string, path: string, text: string) =>
  `${subject} at '${path}' failed to satisfy constraint: ${text}`

export const missing = (path: string) => sentence('Value null', path, NOT_NULL)

/** The sentences about a value and, for lists and maps of scalars, about what is in it. */
export function sentencesOf(model: ServiceModel, name: string, value: unknown, path: string): string[] {
  const shape = shapeOf(model, name)
  const quoted = printed(model, name, value).slice(0, LONGEST_QUOTE)
  const subject = isSilent(model, name) ? 'Value' : `Value '${quoted}'`
  const own = constraintsOf(shape)
    .filter(({ holds }) => !holds(value))
    .map(({ text }) => sentence(subject, path, text))
  if (shape.type === 'list') {
    return [...own, ...partSentences(model, shape.member, value as unknown[], 'Member', subject, path)]
  }
  if (shape.type !== 'map') return own
  const entries = value as Record<string, unknown>
  return [
    ...own,
    ...partSentences(model, shape.key, Object.keys(entries), 'Map keys', subject, path),
    ...partSentences(model, shape.value, Object.values(entries), 'Map value', subject, path),
  ]
}

/** One sentence with all rules of a part, as soon as one part breaks one. */
function partSentences(
  model: ServiceModel,
  name: string,
  parts: readonly unknown[],
  what: string,
  subject: string,
  path: string,
): string[] {
  const rules = constraintsOf(shapeOf(model, name))
  const bad = parts.some((part) => part === null || rules.some(({ holds }) => !holds(part)))
  if (!bad) return []
  const texts = [...rules.map(({ text }) => text), NOT_NULL].join(', ')
  return [sentence(subject, path, `${what} must satisfy constraint: [${texts}]`)]
}

export function validationText(sentences: readonly string[]): string {
  const count = sentences.length === 1 ? '1 validation error' : `${sentences.length} validation errors`
  return `${count} detected: ${sentences.join('; ')}`
}
