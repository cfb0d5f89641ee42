/** The constraints of one shape as functions, each with AWS's words for it. */
import type { Shape } from '#wire/model.ts'

export interface Rule {
  readonly text: string
  /** `value` is of the shape's kind and not null. */
  broken(value: unknown): boolean
}

/**
 * Longest text that a pattern is tried on when the text is too long anyway. Some patterns take quadratic time, and
 * a client chooses the text.
 */
const MAX_PATTERN_CHARACTERS = 2048

/** In the order in which AWS lists them. */
export function scalarRules(shape: Shape): readonly Rule[] {
  switch (shape.type) {
    case 'string':
      return [...lengthRules(shape, countOfString), ...patternRules(shape), ...enumRules(shape)]
    case 'blob':
      return lengthRules(shape, (value) => (value as Uint8Array).byteLength)
    case 'list':
      return lengthRules(shape, (value) => (value as readonly unknown[]).length)
    case 'map':
      return lengthRules(shape, (value) => Object.keys(value as object).length)
    case 'integer':
    case 'long':
    case 'double':
      return valueRules(shape)
    default:
      return []
  }
}

interface Bounds {
  readonly min?: number
  readonly max?: number
}

/** UTF-16 code units, as Java counts. */
const countOfString = (value: unknown) => (value as string).length

function lengthRules({ min, max }: Bounds, count: (value: unknown) => number): Rule[] {
  const rules: Rule[] = []
  if (max !== undefined) {
    rules.push({
      text: `Member must have length less than or equal to ${max}`,
      broken: (v) => count(v) > max,
    })
  }
  if (min !== undefined) {
    rules.push({
      text: `Member must have length greater than or equal to ${min}`,
      broken: (v) => count(v) < min,
    })
  }
  return rules
}

function valueRules({ type, min, max }: Bounds & { readonly type: string }): Rule[] {
  const rules: Rule[] = []
  // Java prints a double with a fraction: 1.0.
  const print = (bound: number) =>
    type === 'double' && Number.isInteger(bound) ? bound.toFixed(1) : String(bound)
  if (max !== undefined) {
    rules.push({
      text: `Member must have value less than or equal to ${print(max)}`,
      broken: (value) => (value as number) > max,
    })
  }
  if (min !== undefined) {
    rules.push({
      text: `Member must have value greater than or equal to ${print(min)}`,
      broken: (value) => (value as number) < min,
    })
  }
  return rules
}

function patternRules({
  pattern,
  max = Infinity,
}: {
  readonly pattern?: string
  readonly max?: number
}): Rule[] {
  if (pattern === undefined) return []
  const whole = compilePattern(pattern)
  return [
    {
      text: `Member must satisfy regular expression pattern: ${pattern}`,
      broken: (value) => {
        const text = value as string
        if (text.length > max && text.length > MAX_PATTERN_CHARACTERS) return false
        return !whole.test(text)
      },
    },
  ]
}

/** Patterns are Java's and must match the whole text. Few can't be read in Unicode mode; those get the older one. */
function compilePattern(pattern: string): RegExp {
  const whole = `^(?:${pattern})$`
  try {
    return new RegExp(whole, 'u')
  } catch {
    return new RegExp(whole)
  }
}

function enumRules({ enum: values }: { readonly enum?: readonly string[] }): Rule[] {
  if (values === undefined) return []
  const allowed = new Set<unknown>(values)
  return [
    {
      text: `Member must satisfy enum value set: [${values.join(', ')}]`,
      broken: (value) => !allowed.has(value),
    },
  ]
}
