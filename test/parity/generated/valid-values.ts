/** A value for every shape of the API model that keeps all its constraints. */
import { memberPlace, memberShape, type ServiceModel, type Shape, type StringShape } from '#wire/model.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000'
/** Tried in this order; the first one that fits is taken. */
const TEXTS = [
  'fn',
  '1',
  '$LATEST',
  'abcdefghij',
  'ABCDE',
  `${ARN}:function:fn`,
  `${ARN}:function:fn:1`,
  `${ARN}:function:fn:1/durable-execution/name/5b1f4ff0-8e6a-4d7c-9d3a-6c1f7f0c1a11`,
  `${ARN}:layer:layer:1`,
  `${ARN}:code-signing-config:csc-00000000000000000`,
  `${ARN}:capacity-provider:cp`,
  'arn:aws:iam::000000000000:role/role',
  'arn:aws:signer:us-east-1:000000000000:/signing-profiles/test/abcdefghij',
  'arn:aws:kms:us-east-1:000000000000:key/5b1f4ff0-8e6a-4d7c-9d3a-6c1f7f0c1a11',
  'arn:aws:sqs:us-east-1:000000000000:queue',
  'arn:aws:secretsmanager:us-east-1:000000000000:secret:name',
  'arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-00000000000000000',
  'arn:aws:ec2:us-east-1:000000000000:subnet/subnet-00000000000000000',
  `${ARN}::runtime:${'0'.repeat(64)}`,
  `arn:aws:lambda:us-east-1::runtime:${'0'.repeat(64)}`,
  '/mnt/data',
  'lambda:InvokeFunction',
  'lambda:GetLayerVersion',
  '000000000000',
  'o-1234567890',
  'sg-00000000',
  'subnet-00000000',
  '5b1f4ff0-8e6a-4d7c-9d3a-6c1f7f0c1a11',
  'host:9092',
  'https://example.org',
  'm5.large',
  'AccessDeniedException',
  'ALL',
  'a'.repeat(40),
  '*',
]

export const wholeMatch = (pattern: string): RegExp => {
  try {
    return new RegExp(`^(?:${pattern})$`, 'u')
  } catch {
    return new RegExp(`^(?:${pattern})$`)
  }
}

export function fitsText(shape: StringShape, text: string): boolean {
  const { min = 0, max = Infinity, pattern } = shape
  return (
    text.length >= min &&
    text.length <= max &&
    (shape.enum === undefined || shape.enum.includes(text)) &&
    (pattern === undefined || wholeMatch(pattern).test(text))
  )
}

function validText(shape: StringShape, name: string): string {
  const found = [...(shape.enum ?? []), ...TEXTS].find((text) => fitsText(shape, text))
  if (found === undefined) throw new Error(`No text is known that fits '${name}': ${JSON.stringify(shape)}`)
  return found
}

/** JSON of the smallest valid value: of structures only the required members. */
export function validValue(model: ServiceModel, name: string): unknown {
  const shape = shapeOf(model, name)
  switch (shape.type) {
    case 'string':
      return validText(shape, name)
    case 'integer':
    case 'long':
    case 'double':
      return Math.max(shape.min ?? 1, Math.min(1, shape.max ?? 1))
    case 'boolean':
      return true
    case 'blob':
      return 'aGVsbG8='
    case 'timestamp':
      return 1_700_000_000
    case 'document':
      return {}
    case 'list':
      return Array.from({ length: Math.max(1, shape.min ?? 1) }, () => validValue(model, shape.member))
    case 'map':
      return { [String(validValue(model, shape.key))]: validValue(model, shape.value) }
    default:
      return validStructure(model, name)
  }
}

/** All required members, or of an input: those that travel outside the body too. */
export function validStructure(model: ServiceModel, name: string): Record<string, unknown> {
  const shape = shapeOf(model, name)
  if (shape.type !== 'structure') throw new Error(`'${name}' is no structure`)
  return Object.fromEntries(
    (shape.required ?? []).flatMap((member) => {
      const bound = shape.members[member]
      if (bound === undefined) throw new Error(`'${name}' has no member '${member}'`)
      return memberPlace(bound) === 'event-payload' ? [] : [[member, validValue(model, memberShape(bound))]]
    }),
  )
}

export function shapeOf(model: ServiceModel, name: string): Shape {
  const shape = model.shapes[name]
  if (!shape) throw new Error(`The model has no shape '${name}'`)
  return shape
}
