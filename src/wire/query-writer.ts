/** The values of handlers' answers to the XML of the query protocol. Members that the model does not know never leave. */
import { flatName } from '#wire/query-tree.ts'
import { memberShape, type ServiceModel, type Shape, type StructureShape } from '#wire/model.ts'

/** Takes a value that is neither undefined nor null; gives the inside of its element. */
export type XmlWriter = (value: never) => string

export function createXmlWriters(model: ServiceModel): { of(shape: string): XmlWriter } {
  const compiled = new Map<string, XmlWriter>()
  const of = (name: string): XmlWriter => {
    const known = compiled.get(name)
    if (known) return known
    let writer: XmlWriter = () => ''
    compiled.set(name, (value) => writer(value))
    const shape = model.shapes[name]
    if (!shape) throw new Error(`The model has no shape '${name}'`)
    writer = compile(shape, of, (member) => flatName(model.shapes[member]))
    compiled.set(name, writer)
    return writer
  }
  return { of }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#xD;',
}

/** What XML 1.0 can't carry in any spelling becomes U+FFFD. */
export const escapeXml = (text: string) =>
  text
    .toWellFormed()
    // oxlint-disable-next-line no-control-regex -- these are the characters that XML refuses
    .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '\uFFFD')
    .replaceAll(/[&<>"\r]/g, (character) => ENTITIES[character] ?? character)

export const element = (name: string, inside: string) => `<${name}>${inside}</${name}>`

function compile(
  shape: Shape,
  of: (name: string) => XmlWriter,
  placeOf: (name: string) => string | undefined,
): XmlWriter {
  switch (shape.type) {
    case 'timestamp':
      return writeTimestamp
    case 'blob':
      return (value: Uint8Array) => Buffer.from(value).toString('base64')
    case 'list': {
      const write = of(shape.member)
      const { flat: name = 'member' } = shape
      return (value: readonly never[]) => value.map((item) => element(name, write(item))).join('')
    }
    case 'map': {
      const write = of(shape.value)
      const names = shape.flat ?? MAP_NAMES
      return (value: Readonly<Record<string, never>>) =>
        Object.entries(value)
          .map(([key, item]) =>
            element(names.entry, element(names.key, escapeXml(key)) + element(names.value, write(item))),
          )
          .join('')
    }
    case 'structure':
    case 'union':
      return structureWriter(shape, of, placeOf)
    default:
      return (value) => escapeXml(String(value))
  }
}

/** ISO 8601 in whole seconds, as IAM and STS write it. */
const writeTimestamp = (value: Date) => `${value.toISOString().slice(0, 19)}Z`

const MAP_NAMES = { entry: 'entry', key: 'key', value: 'value' }

function structureWriter(
  shape: Pick<StructureShape, 'members'>,
  of: (name: string) => XmlWriter,
  placeOf: (name: string) => string | undefined,
): XmlWriter {
  const members = Object.entries(shape.members).map(([name, member]) => ({
    name,
    isFlat: placeOf(memberShape(member)) !== undefined,
    write: of(memberShape(member)),
  }))
  return (value: Readonly<Record<string, never>>) => {
    let out = ''
    for (const { name, isFlat, write } of members) {
      const item = value[name]
      if (item === undefined || item === null) continue
      out += isFlat ? write(item) : element(name, write(item))
    }
    return out
  }
}
