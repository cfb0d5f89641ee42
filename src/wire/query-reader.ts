/** Parameters of the query protocol to the values that handlers see. Compiled once per shape. */
import { setOwn } from '#wire/json-body.ts'
import { memberShape, type ServiceModel, type Shape, type StructureShape } from '#wire/model.ts'
import { malformedInput, type QueryNode } from '#wire/query-tree.ts'
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
    reader = compile(shape, of)
    compiled.set(name, reader)
    return reader
  }
  return { of }
}

function compile(shape: Shape, of: (name: string) => QueryReader): QueryReader {
  switch (shape.type) {
    case 'structure':
    case 'union':
      return structureReader(shape, of)
    case 'list':
      return listReader(of(shape.member))
    case 'map':
      return mapReader(of(shape.value))
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
): QueryReader {
  const members = Object.entries(shape.members).map(([name, member]) => ({
    name,
    read: of(memberShape(member)),
  }))
  return ({ children }) => {
    const out: Record<string, unknown> = {}
    for (const { name, read } of members) {
      const node = children?.get(name)
      const value = node && read(node)
      if (value !== undefined) out[name] = value
    }
    return out
  }
}

const INDEX = /^[1-9]\d{0,5}$/

/** The children of `member` or `entry` in the order of their numbers; gaps do not count. */
function numbered(node: QueryNode, name: string): readonly QueryNode[] {
  return [...(node.children?.get(name)?.children ?? [])]
    .filter(([index]) => INDEX.test(index))
    .toSorted(([a], [b]) => Number(a) - Number(b))
    .map(([, child]) => child)
}

/** A client that sends an empty list sends the name alone. */
function listReader(read: QueryReader): QueryReader {
  return (node) => {
    const elements = numbered(node, 'member')
    if (elements.length === 0 && node.value === undefined) return undefined
    return elements.map((element) => read(element) ?? null)
  }
}

function mapReader(read: QueryReader): QueryReader {
  return (node) => {
    const out: Record<string, unknown> = {}
    for (const { children } of numbered(node, 'entry')) {
      const value = children?.get('value')
      setOwn(out, children?.get('key')?.value ?? '', (value && read(value)) ?? null)
    }
    return out
  }
}
