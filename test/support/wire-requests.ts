/** Requests made from an API model: blank ones, and ones that are wrong in exactly one way. */
import assert from 'node:assert/strict'

import * as fc from 'fast-check'

import { memberPlace, memberShape, type OperationModel, type ServiceModel, type Shape } from '#wire/model.ts'

/** Longer values would break the limit of the request before they break their constraint. */
const LONGEST = 100_000

export interface Sent {
  readonly method: string
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array
}

export const lower = (name: string) => `${name[0]?.toLowerCase() ?? ''}${name.slice(1)}`

export function inputOf(model: ServiceModel, { input }: OperationModel) {
  const shape = input === undefined ? undefined : model.shapes[input]
  return shape?.type === 'structure' ? shape : undefined
}

export function placeOf(shape: ReturnType<typeof inputOf>, member: string) {
  const bound = shape?.members[member]
  return bound === undefined ? undefined : memberPlace(bound)
}

/** A request for the operation with its labels and nothing else. */
export function blank(model: ServiceModel, name: string): Sent {
  const operation = model.operations[name] ?? assert.fail(name)
  if (model.protocol === 'aws-json-1.0' || model.protocol === 'aws-json-1.1') {
    const headers = { 'X-Amz-Target': `${model.targetPrefix}.${name}` }
    return { method: 'POST', path: '/', headers, body: '{}' }
  }
  const path = operation.uri.replaceAll(/\{\w+\}/g, '1')
  const shape = inputOf(model, operation)
  const places = Object.keys(shape?.members ?? {}).map((member) => placeOf(shape, member))
  return places.includes('body')
    ? { method: operation.method, path, body: '{}' }
    : { method: operation.method, path }
}

interface Leaf {
  readonly path: string
  readonly place: string
  readonly shape: Shape
  /** The request with this value at the leaf. */
  send(base: Sent, value: unknown): Sent
}

/** All members of an input, nested ones too, that a request can hold. */
export function leavesOf(model: ServiceModel, operation: OperationModel): Leaf[] {
  const input = inputOf(model, operation)
  return Object.entries(input?.members ?? {}).flatMap(([name, member]): Leaf[] => {
    const shape = model.shapes[memberShape(member)] ?? assert.fail(name)
    const place = memberPlace(member)
    const path = lower(name)
    if (place === 'body') {
      return nested(model, shape, path, (value) => ({ [name]: value }), [memberShape(member)])
    }
    if (typeof member === 'string' || shape.type === 'list') return []
    const wire = member.name ?? name
    const text = (value: unknown) => String(value)
    if (place === 'query') {
      const send = (base: Sent, value: unknown) => ({
        ...base,
        path: `${base.path}${base.path.includes('?') ? '&' : '?'}${wire}=${encodeURIComponent(text(value))}`,
      })
      return [{ path, place, shape, send }]
    }
    if (place === 'header') {
      const send = (base: Sent, value: unknown) => ({
        ...base,
        headers: { ...base.headers, [wire]: text(value) },
      })
      return [{ path, place, shape, send }]
    }
    if (place !== 'label') return []
    const segment = `{${name}}`
    const send = (base: Sent, value: unknown) => ({
      ...base,
      path: operation.uri.replace(segment, encodeURIComponent(text(value))).replaceAll(/\{\w+\}/g, '1'),
    })
    return [{ path, place, shape, send }]
  })
}

function nested(
  model: ServiceModel,
  shape: Shape,
  path: string,
  wrap: (value: unknown) => unknown,
  seen: readonly string[],
): Leaf[] {
  const send = (base: Sent, value: unknown) => ({ ...base, body: JSON.stringify(wrap(value)) })
  const own: Leaf = { path, place: 'body', shape, send }
  if (shape.type === 'structure') {
    const inner = Object.entries(shape.members).flatMap(([name, member]) => {
      const target = memberShape(member)
      if (seen.includes(target)) return []
      const next = model.shapes[target] ?? assert.fail(target)
      return nested(model, next, `${path}.${lower(name)}`, (value) => wrap({ [name]: value }), [
        ...seen,
        target,
      ])
    })
    return [own, ...inner]
  }
  if (shape.type !== 'list' || seen.includes(shape.member)) return [own]
  const element = model.shapes[shape.member]
  if (element?.type !== 'structure') return [own]
  const inside = nested(model, element, `${path}.1.member`, (value) => wrap([value]), [...seen, shape.member])
  return [own, ...inside.slice(1)]
}

/** Values that break one constraint each, with what the answer must say. */
export function breakages(model: ServiceModel, shape: Shape): { value: unknown; text: string }[] {
  if (shape.type === 'integer' || shape.type === 'long' || shape.type === 'double') {
    const { min, max } = shape
    return [
      ...(max === undefined
        ? []
        : [{ value: max + 1, text: 'Member must have value less than or equal to' }]),
      ...(min === undefined
        ? []
        : [{ value: min - 1, text: 'Member must have value greater than or equal to' }]),
    ]
  }
  if (shape.type === 'string') {
    const { min = 0, max = Infinity } = shape
    return [
      ...(max > LONGEST
        ? []
        : [{ value: 'x'.repeat(max + 1), text: `Member must have length less than or equal to ${max}` }]),
      // One character short, but not empty: an empty label is another path.
      ...(min < 2
        ? []
        : [{ value: 'x'.repeat(min - 1), text: `Member must have length greater than or equal to ${min}` }]),
      ...(shape.enum === undefined ? [] : [{ value: '?', text: 'Member must satisfy enum value set: [' }]),
    ]
  }
  if (shape.type === 'list' && shape.min !== undefined && shape.min > 0) {
    return [{ value: [], text: `Member must have length greater than or equal to ${shape.min}` }]
  }
  if (
    shape.type === 'list' &&
    model.shapes[shape.member]?.type === 'string' &&
    model.validation.elementsNotNull
  ) {
    return [{ value: [null], text: 'Member must satisfy constraint: [' }]
  }
  return []
}

export function wrongKinds(shape: Shape): unknown[] {
  switch (shape.type) {
    case 'string':
    case 'blob':
      return [1, 1.5, true, [], {}, ...(shape.type === 'blob' ? ['a', '*aaa', 'aaa*', 'a=aa'] : [])]
    case 'integer':
    case 'long':
      return ['1', false, [], {}, 1e300]
    case 'double':
    case 'timestamp':
      return ['1', false, [], {}, ...(shape.type === 'timestamp' ? [1e300] : [])]
    case 'boolean':
      return ['true', 1, [], {}]
    case 'list':
      return ['x', 1, true, {}]
    case 'map':
    case 'structure':
      return ['x', 1, true, []]
    default:
      return []
  }
}

/** JSON objects whose keys are members of the model: what gets furthest before it is refused. */
export function anyBody(model: ServiceModel): fc.Arbitrary<string> {
  const names = [
    ...new Set(
      Object.values(model.shapes).flatMap((shape) => ('members' in shape ? Object.keys(shape.members) : [])),
    ),
  ]
  const { object } = fc.letrec((tie) => ({
    leaf: fc.oneof(
      fc.string(),
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.constant('__proto__'),
    ),
    value: fc.oneof(
      { depthSize: 'small' },
      tie('leaf'),
      fc.array(tie('value'), { maxLength: 2 }),
      tie('object'),
    ),
    object: fc.dictionary(fc.constantFrom(...names, '__proto__', 'constructor'), tie('value'), {
      maxKeys: 6,
    }),
  }))
  return object.map((value) => JSON.stringify(value))
}
