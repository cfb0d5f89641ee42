/** Reads the input of one REST JSON operation. Everything that does not depend on the request is worked out beforehand. */
import { parseJsonObject, setOwn } from '#wire/json-body.ts'
import type { JsonReaders, Reader } from '#wire/json-reader.ts'
import {
  memberPlace,
  memberShape,
  type Member,
  type OperationModel,
  type ServiceModel,
  type Shape,
  type StructureShape,
} from '#wire/model.ts'
import type { RequestHead } from '#wire/protocol.ts'
import { decodeComponent, parseQuery } from '#wire/query-string.ts'
import { textReader, type TextReader } from '#wire/text-reader.ts'

export interface RestInput {
  /** Name of the input structure. */
  readonly shape: string
  /** Not validated yet. Throws SerializationException. */
  read(labels: readonly string[], head: RequestHead, body: Uint8Array): object
}

type Input = Record<string, unknown>

interface TextMember {
  readonly name: string
  readonly read: TextReader
}

interface QueryMember extends TextMember {
  readonly list: boolean
}

export function compileRestInput(
  model: ServiceModel,
  operation: OperationModel,
  shapeName: string,
  readers: JsonReaders,
): RestInput {
  const structure = structureOf(model, shapeName)
  const members = Object.entries(structure.members)
  const at = (place: string) => members.filter(([, member]) => memberPlace(member) === place)

  const labels = labelNames(operation.uri).map((name): TextMember => {
    const member = structure.members[name]
    if (member === undefined) throw new Error(`The label '{${name}}' is no member of '${shapeName}'`)
    return { name, read: textReader(shapeOf(model, member)) }
  })
  const headers = at('header').map(([name, member]) => ({
    name,
    header: wireName(member).toLowerCase(),
    read: textReader(shapeOf(model, member)),
  }))
  const queries = new Map(
    at('query').map(([name, member]) => [wireName(member), queryMember(model, name, member)]),
  )
  const [payload] = at('payload')
  const body = at('body').map(([name, member]) => ({ name, read: readers.of(memberShape(member)) }))

  return {
    shape: shapeName,
    read(labelTexts, head, bytes) {
      const input: Input = {}
      for (const [index, { name, read }] of labels.entries()) {
        input[name] = read(decodeComponent(labelTexts[index] ?? ''))
      }
      for (const { name, header, read } of headers) {
        const text = head.headers[header]
        if (text !== undefined) input[name] = read(Array.isArray(text) ? text.join(', ') : text)
      }
      if (queries.size > 0 && head.query !== '') readQuery(queries, head.query, input)
      if (payload) readPayload(model, payload, bytes, input, readers)
      else if (body.length > 0) readBody(body, bytes, input)
      return input
    },
  }
}

function readQuery(members: ReadonlyMap<string, QueryMember>, query: string, input: Input): void {
  for (const [key, text] of parseQuery(query)) {
    const member = members.get(key)
    if (!member) continue
    const value = member.read(text)
    if (!member.list) {
      // A repeated parameter: the first one counts.
      input[member.name] ??= value
      continue
    }
    const list = input[member.name]
    if (Array.isArray(list)) list.push(value)
    else setOwn(input, member.name, [value])
  }
}

function readBody(members: readonly { name: string; read: Reader }[], bytes: Uint8Array, input: Input): void {
  const json = parseJsonObject(bytes)
  for (const { name, read } of members) {
    const item = json[name]
    if (item !== undefined && item !== null) input[name] = read(item)
  }
}

/** A blob is handed on as it is, unparsed and uncopied. An empty body means that the member is absent. */
function readPayload(
  model: ServiceModel,
  [name, member]: readonly [string, Member],
  bytes: Uint8Array,
  input: Input,
  readers: JsonReaders,
): void {
  if (bytes.byteLength === 0) return
  input[name] =
    shapeOf(model, member).type === 'blob' ? bytes : readers.of(memberShape(member))(parseJsonObject(bytes))
}

function queryMember(model: ServiceModel, name: string, member: Member): QueryMember {
  const shape = shapeOf(model, member)
  if (shape.type !== 'list') return { name, list: false, read: textReader(shape) }
  return { name, list: true, read: textReader(shapeOf(model, shape.member)) }
}

const labelNames = (uri: string) => [...uri.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')

const wireName = (member: Member) => (typeof member === 'string' ? member : (member.name ?? ''))

function shapeOf(model: ServiceModel, member: Member): Shape {
  const shape = model.shapes[memberShape(member)]
  if (!shape) throw new Error(`The model has no shape '${memberShape(member)}'`)
  return shape
}

export function structureOf(model: ServiceModel, name: string): StructureShape {
  const shape = model.shapes[name]
  if (shape?.type !== 'structure') throw new Error(`The model has no structure '${name}'`)
  return shape
}
