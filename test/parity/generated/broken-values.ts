/** Values that are wrong in one way: a constraint broken by one, or another kind of JSON. */
import type { ServiceModel, Shape, StringShape } from '#wire/model.ts'

import { shapeOf, validValue, wholeMatch } from './valid-values.ts'

/** Larger values would break the limit of the whole request first. */
const LONGEST = 100_000

export interface Broken {
  readonly how: string
  readonly value: unknown
}

/** Each breaks at least one constraint of the shape, or of the scalars in it. */
export function brokenValues(model: ServiceModel, name: string): Broken[] {
  const shape = shapeOf(model, name)
  switch (shape.type) {
    case 'string':
      return brokenTexts(shape, String(validValue(model, name)))
    case 'integer':
    case 'long':
    case 'double':
      return [
        ...(shape.max === undefined ? [] : [{ how: 'one more than the most', value: shape.max + 1 }]),
        ...(shape.min === undefined ? [] : [{ how: 'one less than the least', value: shape.min - 1 }]),
      ]
    case 'list':
      return brokenLists(model, shape)
    case 'map':
      return brokenMaps(model, shape)
    default:
      return []
  }
}

function brokenTexts(shape: StringShape, valid: string): Broken[] {
  const { min = 0, max = Infinity, pattern } = shape
  const out: Broken[] = []
  if (max < LONGEST && shape.enum === undefined) {
    out.push({ how: 'one character too many', value: lengthened(valid, max + 1, pattern) })
  }
  if (min > 0 && shape.enum === undefined) {
    out.push({ how: 'one character too few', value: min === 1 ? '' : shortened(valid, min - 1, pattern) })
  }
  if (pattern !== undefined) {
    const whole = wholeMatch(pattern)
    const candidates = [`${valid}!`, `!${valid}`, '!', `${valid} `, `ü${valid}`, `${valid}\n`, `a\n${valid}`]
    const bad = candidates.find((text) => !whole.test(text) && text.length <= max && text.length >= min)
    if (bad !== undefined) out.push({ how: 'against the pattern', value: bad })
  }
  if (shape.enum !== undefined) {
    out.push({ how: 'none of the values', value: 'nope' })
    const [first = ''] = shape.enum
    const other = first === first.toLowerCase() ? first.toUpperCase() : first.toLowerCase()
    if (!shape.enum.includes(other)) out.push({ how: 'a value in the other case', value: other })
  }
  return out
}

/** A text of this length that keeps the pattern where one can be found. */
function lengthened(valid: string, length: number, pattern: string | undefined): string {
  const whole = pattern === undefined ? undefined : wholeMatch(pattern)
  for (let at = valid.length; at > 0; at -= 1) {
    const fill = (valid[at - 1] ?? 'a').repeat(length - valid.length)
    const text = valid.slice(0, at) + fill + valid.slice(at)
    if (whole === undefined || whole.test(text)) return text
  }
  return 'x'.repeat(length)
}

function shortened(valid: string, length: number, pattern: string | undefined): string {
  const text = valid.slice(0, length)
  return pattern === undefined || wholeMatch(pattern).test(text) ? text : 'x'.repeat(length)
}

function brokenLists(model: ServiceModel, shape: Extract<Shape, { type: 'list' }>): Broken[] {
  const element = shapeOf(model, shape.member)
  const item = validValue(model, shape.member)
  const isScalar = element.type !== 'structure' && element.type !== 'list' && element.type !== 'map'
  return [
    ...(shape.max === undefined || shape.max > 1000
      ? []
      : [{ how: 'one element too many', value: Array.from({ length: shape.max + 1 }, () => item) }]),
    ...(shape.min === undefined || shape.min === 0
      ? []
      : [{ how: 'one element too few', value: Array.from({ length: shape.min - 1 }, () => item) }]),
    ...(isScalar
      ? [
          { how: 'an element that is null', value: [null] },
          ...brokenValues(model, shape.member).map(({ how, value }) => ({
            how: `an element ${how}`,
            value: [value],
          })),
        ]
      : []),
  ]
}

function brokenMaps(model: ServiceModel, shape: Extract<Shape, { type: 'map' }>): Broken[] {
  const key = String(validValue(model, shape.key))
  const item = validValue(model, shape.value)
  const { type } = shapeOf(model, shape.value)
  const isScalar = type !== 'structure' && type !== 'list' && type !== 'map'
  return [
    { how: 'a value that is null', value: { [key]: null } },
    ...brokenValues(model, shape.key).map(({ how, value }) => ({
      how: `a key ${how}`,
      value: { [String(value)]: item },
    })),
    ...(isScalar ? brokenValues(model, shape.value) : []).map(({ how, value }) => ({
      how: `a value ${how}`,
      value: { [key]: value },
    })),
  ]
}

/** JSON of another kind, a scalar and a container, with what AWS's framework says of it. */
export function wrongKinds(shape: Shape): { readonly value: unknown; readonly text: string }[] {
  const object = { value: {}, text: 'Start of structure or map found where not expected.' }
  const list = { value: [], text: 'Start of list found where not expected' }
  const into = (value: unknown, token: string, wanted: string) => ({
    value,
    text: `${token} can not be converted to ${wanted}`,
  })
  switch (shape.type) {
    case 'string':
      return [into(17, 'NUMBER_VALUE', 'a String'), object]
    case 'integer':
      return [into('x', 'STRING_VALUE', 'an Integer'), list]
    case 'long':
      return [into('x', 'STRING_VALUE', 'a Long'), list]
    case 'double':
      return [into('x', 'STRING_VALUE', 'a Double'), list]
    case 'boolean':
      return [into('true', 'STRING_VALUE', 'a Boolean'), object]
    case 'timestamp':
      return [into('x', 'STRING_VALUE', 'a Date'), object]
    case 'blob':
      return [into(17, 'NUMBER_VALUE', 'a Blob'), list]
    case 'list':
      return [{ value: 'x', text: 'Unexpected value type in payload' }, object]
    case 'map':
    case 'structure':
      return [{ value: 17, text: 'Unexpected value type in payload' }, list]
    default:
      return []
  }
}
