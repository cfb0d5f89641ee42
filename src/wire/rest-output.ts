/** Writes the output of one REST JSON operation: status, headers, and either a JSON body or the payload as it is. */
import { encodeEvents } from '#wire/event-stream.ts'
import type { JsonWriters } from '#wire/json-writer.ts'
import { memberPlace, memberShape, type OperationModel, type ServiceModel } from '#wire/model.ts'
import type { WireResponse } from '#wire/protocol.ts'
import { structureOf } from '#wire/rest-input.ts'

type Output = Readonly<Record<string, unknown>>

/** Turns a handler's answer into a response. `$status` overrides a status member, which overrides the model. */
export type RestOutput = (output: object) => WireResponse

const NO_HEADERS: readonly string[] = []
const JSON_TYPE = ['Content-Type', 'application/json']
const EVENT_STREAM_TYPE = ['Content-Type', 'application/vnd.amazon.eventstream']

export function compileRestOutput(
  model: ServiceModel,
  operation: OperationModel,
  writers: JsonWriters,
): RestOutput {
  if (operation.output === undefined) {
    return (output) => ({ status: statusOf(output, operation.status), headers: NO_HEADERS, body: undefined })
  }
  const structure = structureOf(model, operation.output)
  const members = Object.entries(structure.members)
  const statusMember = members.find(([, member]) => memberPlace(member) === 'status')?.[0]
  const headers = members.flatMap(([name, member]) =>
    typeof member !== 'string' && member.in === 'header' ? [{ name, header: member.name ?? name }] : [],
  )
  const payload = members.find(([, member]) => memberPlace(member) === 'payload')
  const hasBody = members.some(([, member]) => memberPlace(member) === 'body')
  const write = writers.of(operation.output)

  const headersOf = (output: Output, type: readonly string[]): readonly string[] => {
    const out = [...type, ...moreHeaders(output)]
    for (const { name, header } of headers) {
      const value = output[name]
      // The type of an event stream is the stream's own; a member bound to the same header would break clients.
      if (value === undefined || value === null || header === 'Content-Type') continue
      out.push(header, headerText(value))
    }
    return out
  }

  const body = (output: Output): WireResponse['body'] => {
    if (payload) return payloadBody(model, payload, output[payload[0]], writers)
    return hasBody ? JSON.stringify(write(output as never)) : undefined
  }

  const type = payload && isEventStream(model, memberShape(payload[1])) ? EVENT_STREAM_TYPE : JSON_TYPE
  return (answer) => {
    const output = answer as Output
    const status = statusOf(answer, memberStatus(output, statusMember) ?? operation.status)
    if (status === 204) return { status, headers: headersOf(output, NO_HEADERS), body: undefined }
    const content = body(output)
    return { status, headers: headersOf(output, content === undefined ? NO_HEADERS : type), body: content }
  }
}

/** Headers that AWS sends and the model does not know: names and values in turns. */
const moreHeaders = ({ $headers }: Output) => ($headers as readonly string[] | undefined) ?? NO_HEADERS

function statusOf(output: object, otherwise: number): number {
  const { $status } = output as { readonly $status?: number }
  return $status ?? otherwise
}

function memberStatus(output: Output, member: string | undefined): number | undefined {
  const value = member === undefined ? undefined : output[member]
  return typeof value === 'number' ? value : undefined
}

/** Characters that a header can't carry would end the response; they become question marks. */
const headerText = (value: unknown) => String(value).replaceAll(/[^\t\u0020-\u007e\u0080-\u00ff]/g, '?')

const isEventStream = (model: ServiceModel, shape: string) => model.shapes[shape]?.type === 'union'

function payloadBody(
  model: ServiceModel,
  [, member]: readonly [string, Parameters<typeof memberShape>[0]],
  value: unknown,
  writers: JsonWriters,
): WireResponse['body'] {
  if (value === undefined || value === null) return undefined
  if (value instanceof Uint8Array) return value
  const shape = memberShape(member)
  if (isEventStream(model, shape)) return encodeEvents(model, shape, value as AsyncIterable<Output>, writers)
  if (typeof value === 'object' && Symbol.asyncIterator in value) return value as AsyncIterable<Uint8Array>
  return JSON.stringify(writers.of(shape)(value as never))
}
