/** Builds a service model: structure and bindings from the SDK's schemas, names of simple shapes and constraints from the tables. */
import { NormalizedSchema } from '@smithy/core/schema'

import type { ErrorModel, Member, OperationModel, ServiceModel, Shape } from '#wire/model.ts'
import type { ServiceRecipe } from './services.ts'
import type { Row } from './tables.ts'

interface Sources {
  readonly recipe: ServiceRecipe
  readonly schemas: object
  readonly members: readonly Row[]
  readonly constraints: readonly Row[]
  /** Names of flattened lists and maps in the query protocol. */
  readonly query: readonly Row[]
}

/** Kinds of the SDK's static schemas: first element of the array. */
const STRUCTURE_KIND = 3
const ERROR_KIND = -3
const OPERATION_KIND = 9

type StaticSchema = readonly [
  kind: number,
  namespace: string,
  name: string,
  traits: unknown,
  ...rest: unknown[],
]
type Normalized = ReturnType<typeof NormalizedSchema.of>

export function buildModel({ recipe, schemas, members, constraints, query }: Sources): ServiceModel {
  const all = Object.values(schemas).filter(isStatic)
  const byKind = (kind: number) => all.filter((schema) => schema[0] === kind).toSorted(byName)
  const targets = new Map(members.map((row) => [`${row['shape']}.${row['member']}`, row]))
  const limits = new Map(constraints.map((row) => [row['shape'] ?? '', row]))
  const flat = new Map(query.map((row) => [row['shape'] ?? '', row]))
  const shapes = new Map<string, Shape>()

  /** Adds the shape (once) and returns its name. `owner` and `member` say where it was met. */
  const add = (schema: Normalized, owner: string, member: string): string => {
    const row = targets.get(`${owner}.${member}`)
    const type = typeOf(schema, row?.['type'])
    const own = schema.isStructSchema() ? (schema.getName() ?? '') : undefined
    let name = own ?? row?.['target'] ?? fallbackName(schema, type)
    const unchecked = recipe.unchecked?.includes(`${owner}.${member}`) ?? false
    if (unchecked) name = `${name}Unchecked`
    if (shapes.has(name)) return name
    // The name is taken before the members are visited: shapes may refer to themselves.
    shapes.set(name, { type: 'document' })
    shapes.set(name, describe(schema, type, name, unchecked ? undefined : limits.get(name)))
    return name
  }

  const describe = (schema: Normalized, type: Shape['type'], name: string, row: Row | undefined): Shape => {
    const traits = schema.getMergedTraits()
    const sensitive = traits.sensitive ? { sensitive: true as const } : {}
    const bounds = {
      ...(row?.['min'] ? { min: Number(row['min']) } : {}),
      ...(row?.['max'] ? { max: Number(row['max']) } : {}),
    }
    switch (type) {
      case 'structure':
      case 'union':
        return { type, ...requiredOf(schema), members: membersOf(schema, name), ...sensitive }
      case 'list':
        return {
          type,
          member: add(schema.getValueSchema(), name, 'member'),
          ...flatList(flat.get(name)),
          ...bounds,
          ...sensitive,
        }
      case 'map': {
        const key = add(schema.getKeySchema(), name, 'key')
        const value = add(schema.getValueSchema(), name, 'value')
        return { type, key, value, ...flatMap(flat.get(name)), ...bounds, ...sensitive }
      }
      case 'string': {
        const checked = !recipe.unpatterned?.includes(name)
        const pattern = checked && row?.['pattern'] ? { pattern: row['pattern'] } : {}
        const values = row?.['enum'] ? { enum: enumOf(recipe, name, row['enum'].split('|')) } : {}
        return { type, ...bounds, ...pattern, ...values, ...sensitive }
      }
      case 'integer':
      case 'long':
      case 'double':
      case 'blob':
        return { type, ...bounds, ...sensitive }
      default:
        return { type, ...sensitive }
    }
  }

  const membersOf = (schema: Normalized, owner: string): Record<string, Member> => {
    const out: Record<string, Member> = {}
    for (const [name, member] of schema.structIterator()) {
      out[name] = bind(member, add(member, owner, name))
    }
    return out
  }

  const operations: Record<string, OperationModel> = {}
  for (const schema of byKind(OPERATION_KIND)) {
    const name = schema[2]
    if (recipe.operations && !recipe.operations.includes(name)) continue
    const { http } = Object(schema[3]) as { http?: [string, string, number] }
    const [method, uri, status] = http ?? ['POST', '/', 200]
    const input = root(schema[4], add)
    const output = root(schema[5], add)
    operations[name] = {
      method,
      uri,
      status: recipe.statuses?.[name] ?? status,
      ...(input === undefined ? {} : { input }),
      ...(output === undefined ? {} : { output }),
    }
  }

  return {
    name: recipe.name,
    protocol: recipe.protocol,
    signingName: recipe.signingName,
    ...(recipe.targetPrefix === undefined ? {} : { targetPrefix: recipe.targetPrefix }),
    ...(recipe.errorNamespace === undefined ? {} : { errorNamespace: recipe.errorNamespace }),
    ...(recipe.query === undefined ? {} : { query: recipe.query }),
    validation: recipe.validation,
    operations,
    shapes: Object.fromEntries([...shapes].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    errors: Object.fromEntries([
      ...byKind(ERROR_KIND)
        .filter((schema) => recipe.errors?.includes(schema[2]) ?? true)
        .map((schema) => [errorCode(recipe, schema), errorOf(recipe, schema)] as const),
      ...Object.entries(recipe.commonErrors ?? {}).map(
        ([name, queryCode]) => [name, { status: 400, message: 'message', queryCode }] as const,
      ),
    ]),
  }
}

const isStatic = (value: unknown): value is StaticSchema =>
  Array.isArray(value) && [STRUCTURE_KIND, ERROR_KIND, OPERATION_KIND].includes(value[0] as number)

const byName = (a: StaticSchema, b: StaticSchema) => (a[2] < b[2] ? -1 : 1)

/** Input and output stand as functions that return the schema; a unit has no members and no name of its own. */
function root(ref: unknown, add: (schema: Normalized, owner: string, member: string) => string) {
  const schema = NormalizedSchema.of(ref as never)
  return schema.isStructSchema() ? add(schema, '', '') : undefined
}

function typeOf(schema: Normalized, named: string | undefined): Shape['type'] {
  if (schema.isUnionSchema()) return 'union'
  if (schema.isStructSchema()) return 'structure'
  if (schema.isListSchema()) return 'list'
  if (schema.isMapSchema()) return 'map'
  if (schema.isBlobSchema()) return 'blob'
  if (schema.isTimestampSchema()) return 'timestamp'
  if (schema.isDocumentSchema()) return 'document'
  if (schema.isBooleanSchema()) return 'boolean'
  if (schema.isStringSchema()) return 'string'
  if (schema.isNumericSchema()) {
    if (named === 'integer' || named === 'long') return named
    return 'double'
  }
  throw new Error(`The schema '${schema.getName(true)}' is of no known kind`)
}

function fallbackName(schema: Normalized, type: Shape['type']): string {
  const name = schema.getSchema()
  if (Array.isArray(name)) return schema.getName() ?? type
  if (type === 'list') return 'StringList'
  if (type === 'map') return 'StringMap'
  return `${type[0]?.toUpperCase()}${type.slice(1)}`
}

/** The first N members of a structure are the required ones; N is the seventh element. */
function requiredOf(schema: Normalized): { required?: readonly string[] } {
  const [, , , , names, , count] = schema.getSchema() as unknown as readonly unknown[]
  return typeof count === 'number' && count > 0 ? { required: (names as string[]).slice(0, count) } : {}
}

function enumOf(recipe: ServiceRecipe, name: string, values: readonly string[]): readonly string[] {
  const order = recipe.enumOrder?.[name]
  if (!order) return values
  if (order.toSorted().join() !== values.toSorted().join()) {
    throw new Error(`The order of '${name}' names other values than the model: ${values.join(', ')}`)
  }
  return order
}

function bind(schema: Normalized, shape: string): Member {
  const traits = schema.getMemberTraits()
  if (traits.httpLabel) return { shape, in: 'label' }
  if (traits.httpQuery !== undefined) return { shape, in: 'query', name: traits.httpQuery }
  if (traits.httpHeader !== undefined) return { shape, in: 'header', name: traits.httpHeader }
  if (traits.httpPayload) return { shape, in: 'payload' }
  if (traits.httpResponseCode) return { shape, in: 'status' }
  if (traits.eventPayload) return { shape, in: 'event-payload' }
  return shape
}

const flatList = (row: Row | undefined) => (row ? { flat: row['entry'] ?? '' } : {})
const flatMap = (row: Row | undefined) =>
  row ? { flat: { entry: row['entry'] ?? '', key: row['key'] ?? '', value: row['value'] ?? '' } } : {}

/** The query protocol has names of its own for errors: `NoSuchEntity` for NoSuchEntityException. */
function errorCode({ protocol }: ServiceRecipe, schema: StaticSchema): string {
  const { awsQueryError } = Object(schema[3]) as { awsQueryError?: readonly [code: string, status: number] }
  return (protocol === 'aws-query' ? awsQueryError?.[0] : undefined) ?? schema[2]
}

function errorOf({ protocol, query, queryTexts }: ServiceRecipe, schema: StaticSchema): ErrorModel {
  const { httpError, error, awsQueryError } = Object(schema[3]) as {
    httpError?: number
    error?: string
    awsQueryError?: readonly [code: string, status: number]
  }
  const names = schema[4] as readonly string[]
  const headers: Record<string, string> = {}
  for (const [name, member] of NormalizedSchema.of(schema as never).structIterator()) {
    const { httpHeader } = member.getMemberTraits()
    if (httpHeader !== undefined) headers[name] = httpHeader
  }
  return {
    status: httpError ?? (error === 'server' ? 500 : 400),
    message: names.includes('Message') ? 'Message' : 'message',
    ...(query && protocol !== 'aws-query' && awsQueryError ? { queryCode: awsQueryError[0] } : {}),
    ...(queryTexts?.[schema[2]] === undefined ? {} : { queryText: queryTexts[schema[2]] }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
  }
}
