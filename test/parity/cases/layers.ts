/** Layers and their versions. */
import { CREATE, FN, active, configure, updating } from '../function-bodies.ts'
import {
  MODEL,
  created,
  invalid,
  noContent,
  notFound,
  ok,
  recorded,
  step,
  validation,
  type Input,
  type ParityCase,
} from '../parity-case.ts'

const from = (name: string) => recorded(`localstack test_lambda_api TestLambdaLayer.${name}, 2024`)
const EXCEPTIONS = from('test_layer_exceptions')
const LIFECYCLE = from('test_layer_lifecycle')
const IN_FUNCTIONS = from('test_layer_function_exceptions')
const BARE = from('test_layer_s3_content')

export const LAYER_ARN = 'arn:aws:lambda:us-east-1:000000000000:layer:layer'
const publish = (more: Input = {}) => ({ LayerName: 'layer', Content: { ZipFile: '<zip>' }, ...more })
const FULL = {
  CompatibleRuntimes: ['python3.12'],
  CompatibleArchitectures: ['x86_64'],
  Description: 'description',
  LicenseInfo: 'license',
}
export const LAYER = step('PublishLayerVersion', publish(FULL), { as: 'layer' })
const EMPTY = step('PublishLayerVersion', publish())
const bare = (more: Input = {}) => ({
  Content: { CodeSha256: '<sha256>', CodeSize: '<size>', Location: '<url>' },
  CreatedDate: '<date>',
  Description: '',
  LayerArn: LAYER_ARN,
  LayerVersionArn: `${LAYER_ARN}:1`,
  Version: 1,
  ...more,
})
const listed = (Version: number, more: Input = {}) => ({
  ...FULL,
  CreatedDate: '<date>',
  LayerVersionArn: `${LAYER_ARN}:${Version}`,
  Version,
  ...more,
})
const GONE = notFound('The resource you requested does not exist.')
const TOO_SMALL = invalid('Layer Version Cannot be less than 1')
const remove = (VersionNumber: number) => step('DeleteLayerVersion', { LayerName: 'layer', VersionNumber })
const use = (...Layers: readonly string[]) => ({ FunctionName: 'fn', Layers })
const twice = (a: string, b: string) =>
  invalid(
    `Two different versions of the same layer are not allowed to be referenced in the same function. ${a} and ${b} are versions of the same layer.`,
  )

export const layerCases: readonly ParityCase[] = [
  {
    operation: 'PublishLayerVersion',
    name: 'with all members',
    input: LAYER.input,
    expect: created(bare(FULL)),
    source: LIFECYCLE,
  },
  {
    operation: 'PublishLayerVersion',
    name: 'a second version of the same content',
    given: [LAYER],
    input: LAYER.input,
    expect: created(bare({ ...FULL, LayerVersionArn: `${LAYER_ARN}:2`, Version: 2 })),
    source: LIFECYCLE,
  },
  {
    operation: 'PublishLayerVersion',
    name: 'without what it is compatible with',
    input: publish(),
    expect: created(bare()),
    source: BARE,
  },
  {
    operation: 'PublishLayerVersion',
    name: 'compatible with nothing',
    input: publish({ CompatibleRuntimes: [], CompatibleArchitectures: [] }),
    expect: created(bare({ CompatibleArchitectures: [], CompatibleRuntimes: [] })),
    source: EXCEPTIONS,
  },
  {
    operation: 'GetLayerVersion',
    name: 'with all members',
    given: [LAYER],
    input: { LayerName: 'layer', VersionNumber: 1 },
    expect: ok(bare(FULL)),
    source: LIFECYCLE,
  },
  {
    operation: 'GetLayerVersionByArn',
    name: 'with all members',
    given: [LAYER],
    input: { Arn: `${LAYER_ARN}:1` },
    expect: ok(bare(FULL)),
    source: LIFECYCLE,
  },
  {
    operation: 'ListLayerVersions',
    name: 'the latest first, without their content',
    given: [LAYER, LAYER],
    input: { LayerName: 'layer' },
    expect: ok({ LayerVersions: [listed(2), listed(1)] }),
    source: LIFECYCLE,
  },
  {
    operation: 'ListLayerVersions',
    name: 'after all were deleted',
    given: [LAYER, LAYER, remove(1), remove(2)],
    input: { LayerName: 'layer' },
    expect: ok({ LayerVersions: [] }),
    source: LIFECYCLE,
  },
  {
    operation: 'ListLayerVersions',
    name: 'of a layer that is not there',
    input: { LayerName: 'layer' },
    expect: ok({ LayerVersions: [] }),
    source: EXCEPTIONS,
  },
  {
    operation: 'DeleteLayerVersion',
    name: 'answers without a body',
    given: [LAYER],
    input: { LayerName: 'layer', VersionNumber: 1 },
    expect: noContent,
    source: LIFECYCLE,
  },
  {
    operation: 'PublishLayerVersion',
    name: 'numbers go on after all versions were deleted',
    given: [LAYER, LAYER, remove(1), remove(2)],
    input: LAYER.input,
    expect: created(bare({ ...FULL, LayerVersionArn: `${LAYER_ARN}:3`, Version: 3 })),
    source: LIFECYCLE,
  },
  {
    operation: 'UpdateFunctionConfiguration',
    name: 'a layer',
    given: [FN, LAYER],
    input: use(`${LAYER_ARN}:1`),
    expect: ok(updating({ Layers: [{ Arn: `${LAYER_ARN}:1`, CodeSize: '<size>' }] })),
    source: LIFECYCLE,
  },
  {
    operation: 'GetFunctionConfiguration',
    name: 'with a layer that was deleted',
    given: [FN, LAYER, configure({ Layers: [`${LAYER_ARN}:1`] }), remove(1)],
    input: { FunctionName: 'fn' },
    expect: ok(active({ Layers: [{ Arn: `${LAYER_ARN}:1`, CodeSize: '<size>' }] })),
    source: LIFECYCLE,
  },
  {
    operation: 'ListLayers',
    name: 'for a processor that is none',
    input: { CompatibleArchitecture: 'archdoesnotexist' },
    expect: validation(
      "1 validation error detected: Value 'archdoesnotexist' at 'compatibleArchitecture' failed to satisfy constraint: Member must satisfy enum value set: [x86_64, arm64]",
    ),
    source: EXCEPTIONS,
  },
  ...(['GetLayerVersion', 'DeleteLayerVersion'] as const).flatMap((operation): ParityCase[] => [
    {
      operation,
      name: 'of a layer that is not there',
      input: { LayerName: 'doesnotexist', VersionNumber: 1 },
      expect: operation === 'GetLayerVersion' ? GONE : noContent,
      source: EXCEPTIONS,
    },
    {
      operation,
      name: 'a version that is not there',
      given: [EMPTY],
      input: { LayerName: 'layer', VersionNumber: 2 },
      expect: operation === 'GetLayerVersion' ? GONE : noContent,
      source: EXCEPTIONS,
    },
    {
      operation,
      name: 'a negative version',
      given: [EMPTY],
      input: { LayerName: 'layer', VersionNumber: -1 },
      expect: TOO_SMALL,
      source: EXCEPTIONS,
    },
    {
      operation,
      name: 'version zero',
      given: [EMPTY],
      input: { LayerName: 'layer', VersionNumber: 0 },
      expect: TOO_SMALL,
      source: EXCEPTIONS,
    },
  ]),
  {
    operation: 'DeleteLayerVersion',
    name: 'twice',
    given: [EMPTY, remove(1)],
    input: { LayerName: 'layer', VersionNumber: 1 },
    expect: noContent,
    source: EXCEPTIONS,
  },
  {
    operation: 'GetLayerVersionByArn',
    name: 'a version that is not there',
    given: [EMPTY],
    input: { Arn: `${LAYER_ARN}:2` },
    expect: GONE,
    source: EXCEPTIONS,
  },
  {
    operation: 'GetLayerVersionByArn',
    name: 'an ARN without a version',
    given: [EMPTY],
    input: { Arn: LAYER_ARN },
    // Recorded with the pattern of 2024.
    expect: validation(
      `1 validation error detected: Value '${LAYER_ARN}' at 'arn' failed to satisfy constraint: Member must satisfy regular expression pattern: ((arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+))`,
    ),
    source: MODEL,
  },
  {
    operation: 'UpdateFunctionConfiguration',
    name: 'two versions of one layer',
    given: [FN, EMPTY, EMPTY],
    input: use(`${LAYER_ARN}:1`, `${LAYER_ARN}:2`),
    expect: twice(`${LAYER_ARN}:1`, `${LAYER_ARN}:2`),
    source: IN_FUNCTIONS,
  },
  {
    operation: 'UpdateFunctionConfiguration',
    name: 'three versions of one layer',
    given: [FN, EMPTY, EMPTY, EMPTY],
    input: use(`${LAYER_ARN}:1`, `${LAYER_ARN}:2`, `${LAYER_ARN}:3`),
    expect: twice(`${LAYER_ARN}:1`, `${LAYER_ARN}:2`),
    source: IN_FUNCTIONS,
  },
  {
    operation: 'UpdateFunctionConfiguration',
    name: 'one version of a layer twice',
    given: [FN, EMPTY],
    input: use(`${LAYER_ARN}:1`, `${LAYER_ARN}:1`),
    expect: twice(`${LAYER_ARN}:1`, `${LAYER_ARN}:1`),
    source: IN_FUNCTIONS,
  },
  {
    operation: 'UpdateFunctionConfiguration',
    name: 'a layer that is not there',
    given: [FN],
    input: use(`${LAYER_ARN}:1`),
    expect: invalid(`Layer version ${LAYER_ARN}:1 does not exist.`),
    source: IN_FUNCTIONS,
  },
  {
    operation: 'UpdateFunctionConfiguration',
    name: 'a version of a layer that is not there',
    given: [FN, EMPTY],
    input: use(`${LAYER_ARN}:9`),
    expect: invalid(`Layer version ${LAYER_ARN}:9 does not exist.`),
    source: IN_FUNCTIONS,
  },
  {
    operation: 'CreateFunction',
    name: 'a layer of another region',
    input: { ...CREATE, Layers: ['arn:aws:lambda:eu-west-1:000000000000:layer:layer:1'] },
    expect: invalid(
      'Layers are not in the same region as the function. Layers are expected to be in region us-east-1.',
    ),
    source: IN_FUNCTIONS,
  },
]
