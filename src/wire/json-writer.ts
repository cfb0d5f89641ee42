/** The values of handlers' answers to JSON values. Members that the model does not know never leave. */
import { setOwn } from '#wire/json-body.ts'
import { memberPlace, memberShape, type ServiceModel, type Shape, type StructureShape } from '#wire/model.ts'

/** Takes a value that is neither undefined nor null. */
export type Writer = (value: never) => unknown

export interface JsonWriters {
  of(shape: string): Writer
}

export function createJsonWriters(model: ServiceModel): JsonWriters {
  const compiled = new Map<string, Writer>()
  const of = (name: string): Writer => {
    const known = compiled.get(name)
    if (known) return known
    let writer: Writer = () => undefined
    compiled.set(name, (value) => writer(value))
    const shape = model.shapes[name]
    if (!shape) throw new Error(`The model has no shape '${name}'`)
    writer = compile(shape, of)
    compiled.set(name, writer)
    return writer
  }
  return { of }
}

function compile(shape: Shape, of: (name: string) => Writer): Writer {
  switch (shape.type) {
    case 'timestamp':
      return writeTimestamp
    case 'blob':
      return writeBlob
    case 'list': {
      const write = of(shape.member)
      return (value: readonly never[]) => value.map((item) => write(item))
    }
    case 'map': {
      const write = of(shape.value)
      return (value: Readonly<Record<string, never>>) => {
        const out: Record<string, unknown> = {}
        for (const [key, item] of Object.entries(value)) setOwn(out, key, write(item))
        return out
      }
    }
    case 'structure':
    case 'union':
      return structureWriter(shape, of)
    default:
      return (value) => value
  }
}

/** Epoch seconds; the milliseconds stay as a fraction. */
const writeTimestamp = (value: Date) => value.getTime() / 1000

const writeBlob = (value: Uint8Array) =>
  Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')

/** Only the members that belong to the body's JSON. */
function structureWriter(shape: Pick<StructureShape, 'members'>, of: (name: string) => Writer): Writer {
  const members = Object.entries(shape.members)
    .filter(([, member]) => memberPlace(member) === 'body')
    .map(([name, member]) => ({ name, write: of(memberShape(member)) }))
  return (value: Readonly<Record<string, never>>) => {
    const out: Record<string, unknown> = {}
    for (const { name, write } of members) {
      const item = value[name]
      if (item !== undefined && item !== null) out[name] = write(item)
    }
    return out
  }
}
