/**
 * JSON as a schedule's input has it, turned into the members of an API model: names in either case of their first letter,
 * texts for blobs, texts or seconds for times. Pure.
 */
import { memberShape, type ServiceModel } from '#wire/model.ts'

/** What does not fit the model stays as it is, for the service to refuse. */
export function fromJson(model: ServiceModel, shapeName: string, value: unknown): unknown {
  const shape = model.shapes[shapeName]
  if (!shape || value === null || value === undefined) return value
  switch (shape.type) {
    case 'blob':
      return typeof value === 'string' ? Buffer.from(value) : value
    case 'timestamp':
      return typeof value === 'string'
        ? new Date(value)
        : typeof value === 'number'
          ? new Date(value * 1000)
          : value
    case 'list':
      return Array.isArray(value) ? value.map((item) => fromJson(model, shape.member, item)) : value
    case 'map':
      return isObject(value)
        ? Object.fromEntries(
            Object.entries(value).map(([key, item]) => [key, fromJson(model, shape.value, item)]),
          )
        : value
    case 'structure':
    case 'union':
      return isObject(value) ? members(model, shape.members, value) : value
    default:
      return value
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

function members(
  model: ServiceModel,
  known: Readonly<Record<string, Parameters<typeof memberShape>[0]>>,
  value: Readonly<Record<string, unknown>>,
): object {
  const names = new Map(Object.keys(known).map((name) => [name.toLowerCase(), name]))
  return Object.fromEntries(
    Object.entries(value).map(([given, item]) => {
      const name = names.get(given.toLowerCase()) ?? given
      const member = known[name]
      return [name, member === undefined ? item : fromJson(model, memberShape(member), item)]
    }),
  )
}
