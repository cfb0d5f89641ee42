/** AWS Query: parameters in a form (or the query of a GET), answers in XML. Spoken by IAM, STS and, beside JSON, SQS. */
import { isUtf8 } from 'node:buffer'

import { LambdaError } from '#contracts/errors.ts'
import { queryCode, statusOf } from '#wire/errors.ts'
import type { ServiceModel } from '#wire/model.ts'
import type { Protocol, RequestHead } from '#wire/protocol.ts'
import { createQueryReaders } from '#wire/query-reader.ts'
import { malformedInput, parseParameters, type QueryNode } from '#wire/query-tree.ts'
import { createXmlWriters, element, escapeXml } from '#wire/query-writer.ts'
import { createValidators } from '#wire/validation.ts'

const HEADERS = ['Content-Type', 'text/xml']
const NO_LABELS: readonly string[] = []

export interface QueryProtocol extends Protocol {
  /** True when a query string names this service's version of the API, or the path one of its resources. */
  knows(path: string, query: string): boolean
}

/** The operation stands among the parameters, so a POST is routed by its body. */
export function createQuery(model: ServiceModel): QueryProtocol {
  const readers = createQueryReaders(model)
  const writers = createXmlWriters(model)
  const validators = createValidators(model)
  const { version = '', namespace = '', pathMember } = model.query ?? {}
  const mark = `Version=${version}`

  return {
    knows: (path, query) =>
      (query.includes(mark) && query.includes('Action=')) ||
      (pathMember !== undefined && RESOURCE.test(path)),
    route(head, body) {
      if (body === undefined) return undefined
      const { children } = parametersOf(head, body)
      const action = children?.get('Action')?.value
      // Name as in AWS's list of common errors; its text is unverified.
      if (action === undefined) throw new LambdaError('MissingAction', 'Missing Action', { status: 400 })
      const asked = children?.get('Version')?.value
      if (!Object.hasOwn(model.operations, action) || (asked !== undefined && asked !== version)) {
        throw noSuchAction(action, asked)
      }
      return { operation: action, labels: NO_LABELS }
    },
    read({ operation }, head, body) {
      const shape = model.operations[operation]?.input
      if (shape === undefined) return {}
      const input = readers.of(shape)(parametersOf(head, body)) as Record<string, unknown>
      if (pathMember !== undefined && head.path !== '/') addPath(model, shape, input, pathMember, head.path)
      const failure = validators.check(shape, input)
      if (failure) throw failure
      return input
    },
    write(operation, output, requestId) {
      const { output: shape, status = 200 } = model.operations[operation] ?? {}
      const result =
        shape === undefined ? '' : element(`${operation}Result`, writers.of(shape)(output as never))
      const metadata = element('ResponseMetadata', element('RequestId', requestId))
      const body = `<${operation}Response xmlns="${namespace}">${result}${metadata}</${operation}Response>\n`
      return { status, headers: HEADERS, body }
    },
    writeError(error, requestId) {
      const status = statusOf(model, error)
      const inside =
        element('Type', status < 500 ? 'Sender' : 'Receiver') +
        element('Code', queryCode(model, error.code)) +
        element('Message', escapeXml(model.errors[error.code]?.queryText ?? error.message))
      const body = `<ErrorResponse xmlns="${namespace}">${element('Error', inside)}${element('RequestId', requestId)}</ErrorResponse>\n`
      return { status, headers: HEADERS, body }
    },
  }
}

/** Account and name. */
const RESOURCE = /^\/\d{12}\/[\w-]{1,75}(?:\.fifo)?$/

/** Old clients send a request to its queue's own address, and name the queue nowhere else. */
function addPath(
  model: ServiceModel,
  shape: string,
  input: Record<string, unknown>,
  member: string,
  path: string,
): void {
  const structure = model.shapes[shape]
  if (structure?.type === 'structure' && Object.hasOwn(structure.members, member)) input[member] ??= path
}

const noSuchAction = (action: string, version = 'NO_VERSION_SPECIFIED') =>
  new LambdaError(
    'InvalidAction',
    `Could not find operation ${action.slice(0, 128)} for version ${version.slice(0, 32)}`,
    { status: 400 },
  )

/** Parameters of the query and of the form. Throws MalformedInput. */
function parametersOf({ query }: RequestHead, body: Uint8Array): QueryNode {
  if (!isUtf8(body)) throw malformedInput('The request is not valid UTF-8')
  const form = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  try {
    return parseParameters(query === '' ? form : `${query}&${form}`)
  } catch (error) {
    if (error instanceof LambdaError) throw malformedInput(error.message)
    throw error
  }
}
