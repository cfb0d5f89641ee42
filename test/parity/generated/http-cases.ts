/** Requests that are wrong before anybody looks at a member: bodies that are no JSON, too long, other methods. */
import { memberPlace, memberShape, type ServiceModel } from '#wire/model.ts'

import { refused, recorded, unverified, type Source } from '../parity-case.ts'
import type { GeneratedCase } from './generated-cases.ts'
import { requestOf, type RawRequest } from './raw-request.ts'
import { shapeOf, validStructure } from './valid-values.ts'

const WORDS = unverified("the words of AWS's framework in other services")
const REPORTED = unverified('as clients of Lambda have reported it')

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']
const OVERSIZE = recorded(
  'localstack test_lambda_api TestLambdaSizeLimits.test_oversized_request_create_lambda, 2024',
)
/** Bytes that a request with a package may have, and any other. */
const WITH_PACKAGE = 70_167_211
const OTHERS = 6_291_456
const PACKAGES = new Set(['CreateFunction', 'UpdateFunctionCode', 'PublishLayerVersion'])

export function httpCases(model: ServiceModel, operation: string): GeneratedCase[] {
  const input = model.operations[operation]?.input
  if (input === undefined) return []
  const request = requestOf(model, operation, validStructure(model, input))
  return [
    ...bodyCases(model, operation, input, request),
    ...lengthCase(operation, request),
    ...methodCases(model, operation, request),
  ]
}

function bodyCases(
  model: ServiceModel,
  operation: string,
  input: string,
  request: RawRequest,
): GeneratedCase[] {
  const shape = shapeOf(model, input)
  if (shape.type !== 'structure') return []
  const readsJson = Object.values(shape.members).some(
    (member) =>
      memberPlace(member) === 'body' ||
      (memberPlace(member) === 'payload' && shapeOf(model, memberShape(member)).type === 'structure'),
  )
  if (!readsJson) return []
  const noJson = 'Could not parse request body into json'
  const bodies: readonly [string, string | Uint8Array, string][] = [
    ['cut off', '{"a":', noJson],
    ['with something behind it', '{} x', noJson],
    ['a list', '[]', 'Start of list found where not expected'],
    ['a text', '"x"', 'Unexpected value type in payload'],
    ['a number', '1', 'Unexpected value type in payload'],
    [
      'not UTF-8',
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      'Invalid UTF-8 in the request body',
    ],
  ]
  return bodies.map(([name, body, Message]) => ({
    operation,
    name: `a body that is ${name}`,
    request: { ...request, body },
    expect: refused(400, 'SerializationException', { Message }),
    source: WORDS,
  }))
}

function lengthCase(operation: string, request: RawRequest): GeneratedCase[] {
  if (request.method === 'GET' || request.method === 'DELETE') return []
  const limit = PACKAGES.has(operation) ? WITH_PACKAGE : OTHERS
  const name = operation === 'Invoke' ? 'InvokeFunction' : operation
  const { body: _left, ...head } = request
  const source: Source =
    operation === 'CreateFunction' ? OVERSIZE : unverified('what was recorded for CreateFunction')
  return [
    {
      operation,
      name: 'a body that is too long',
      request: { ...head, announcedBytes: limit + 1 },
      expect: refused(413, 'RequestEntityTooLargeException', {
        message: `Request must be smaller than ${limit} bytes for the ${name} operation`,
      }),
      source,
    },
  ]
}

/** Methods that no operation has at this path. */
function methodCases(model: ServiceModel, operation: string, request: RawRequest): GeneratedCase[] {
  const [path = '', query] = request.path.split('?')
  const answered = new Set(
    Object.values(model.operations)
      .filter(({ uri }) => {
        const [template = ''] = uri.split('?')
        return new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path)
      })
      .map(({ method }) => method),
  )
  return METHODS.filter((method) => !answered.has(method)).map((method) => ({
    operation,
    name: `${method} instead of ${request.method}`,
    request: { method, path: query === undefined ? path : `${path}?${query}` },
    expect: refused(403, 'AccessDeniedException', {
      Message: 'Unable to determine service/operation name to be authorized',
    }),
    source: REPORTED,
  }))
}
