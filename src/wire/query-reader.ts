/** Parameters of the query protocol to the values that handlers see. Compiled once per shape. */
import { setOwn } from '#wire/json-body.ts'
import { memberShape, type ServiceModel, type Shape, type StructureShape } from '#wire/model.ts'
import { flatName, malformedInput, type QueryNode } from '#wire/query-tree.ts'
import { textReader } from '#wire/text-reader.ts'

/** Undefined when there is nothing to read. Throws MalformedInput. */
export type QueryReader = (node: QueryNode) => unknown

export function createQueryReaders(model: ServiceModel): { of(shape: string): QueryReader } {
  const compiled = new Map<string, QueryReader>()
  const of = (name: string): QueryReader => {
    const known = compiled.get(name)
    if (known) return known
    // Shapes may contain themselves: until this one is compiled, a detour stands for it.
    let reader: QueryReader = () => undefined
    compiled.set(name, (node) => reader(node))
    const shape = model.shapes[name]
    if (!shape) throw new Error(`The model has no shape '${name}'`)
    reader = compile(shape, of, (member) => flatName(model.shapes[member]))
    compiled.set(name, reader)
    return reader
  }
  return { of }
}

function compile(
  shape: Shape,
  of: (name: string) => QueryReader,
  placeOf: (name: string) => string | undefined,
): QueryReader {
  switch (shape.type) {
    case 'structure':
    case 'union':
      return structureReader(shape, of, placeOf)
    case 'list':
      return shape.flat === undefined ? listReader(of(shape.member)) : flatListReader(of(shape.member))
    case 'map':
      return shape.flat === undefined
        ? mapReader(of(shape.value), MAP_NAMES)
        : flatMapReader(of(shape.value), shape.flat)
    case 'document':
      throw new Error("Documents can't travel in the query protocol")
    case 'blob':
      return ({ value }) => (value === undefined ? undefined : Buffer.from(value, 'base64'))
    default: {
      const read = textReader(shape)
      return ({ value }) => {
        if (value === undefined) return undefined
        try {
          return read(value)
        } catch (error) {
          throw malformedInput((error as Error).message)
        }
      }
    }
  }
}

function structureReader(
  shape: Pick<StructureShape, 'members'>,
  of: (name: string) => QueryReader,
  placeOf: (name: string) => string | undefined,
): QueryReader {
  const members = Object.entries(shape.members).map(([name, member]) => ({
    name,
    place: placeOf(memberShape(member)) ?? name,
    read: of(memberShape(member)),
  }))
  return ({ children }) => {
    const out: Record<string, unknown> = {}
    for (const { name, place, read } of members) {
      const node = children?.get(place)
      const value = node && read(node)
      if (value !== undefined) out[name] = value
    }
    return out
  }
}

const INDEX = /^[1-9]\d{0,5}$/

/** Children by number, in the order of their numbers; gaps do not count. */
function numbered(node: QueryNode | undefined): readonly QueryNode[] {
  return [...(node?.children ?? [])]
    .filter(([index]) => INDEX.test(index))
    .toSorted(([a], [b]) => Number(a) - Number(b))
    .map(([, child]) => child)
}

/** A client that sends an empty list sends the name alone. */
function listReader(read: QueryReader): QueryReader {
  return (node) => {
    const elements = numbered(node.children?.get('member'))
    if (elements.length === 0 && node.value === undefined) return undefined
    return elements.map((element) => read(element) ?? null)
  }
}

function flatListReader(read: QueryReader): QueryReader {
  return (node) => {
    const elements = numbered(node)
    if (elements.length === 0 && node.value === undefined) return undefined
    return elements.map((element) => read(element) ?? null)
  }
}

const MAP_NAMES = { key: 'key', value: 'value' }

const mapReader =
  (read: QueryReader, names: typeof MAP_NAMES): QueryReader =>
  (node) =>
    entriesOf(numbered(node.children?.get('entry')), read, names)

const flatMapReader =
  (read: QueryReader, names: typeof MAP_NAMES): QueryReader =>
  (node) =>
    entriesOf(numbered(node), read, names)

function entriesOf(entries: readonly QueryNode[], read: QueryReader, names: typeof MAP_NAMES): object {
  const out: Record<string, unknown> = {}
  for (const { children } of entries) {
    // Attributes of messages begin with capitals in whatever service they are: `MessageAttributes.entry.1.Name`.
    const key = children?.get(names.key) ?? children?.get('Name')
    const value = children?.get(names.value) ?? children?.get('Value')
    setOwn(out, key?.value ?? '', (value && read(value)) ?? null)
  }
  return out
}
