/** Lists: what is in them, in which order, page by page, and of what is not there. */
import { ARN, CREATE, FN, fnWith, listed, publish } from '../function-bodies.ts'
import { documented, notFound, ok, recorded, step, unverified, type ParityCase } from '../parity-case.ts'
import { LAYER, LAYER_ARN } from './layers.ts'

const OTHERS = unverified('the text that was recorded for other operations on a missing function')
const PAGES = documented('MaxItems and Marker in the API reference; that a last page has no marker')
const LAYERS = recorded('localstack test_lambda_api TestLambdaLayer.test_layer_lifecycle, 2024: one version')
const missing = notFound(`Function not found: ${ARN}`)

const named = (name: string) => step('CreateFunction', { ...CREATE, FunctionName: name })
const shown = (name: string) =>
  listed({
    FunctionName: name,
    FunctionArn: ARN.replace(/fn$/, name),
    LoggingConfig: { LogFormat: 'Text', LogGroup: `/aws/lambda/${name}` },
  })
const latest = {
  LatestMatchingVersion: {
    CompatibleRuntimes: ['python3.12'],
    CompatibleArchitectures: ['x86_64'],
    CreatedDate: '<date>',
    Description: 'description',
    LayerVersionArn: `${LAYER_ARN}:1`,
    LicenseInfo: 'license',
    Version: 1,
  },
  LayerArn: LAYER_ARN,
  LayerName: 'layer',
}
const alias = (Name: string) => step('CreateAlias', { FunctionName: 'fn', Name, FunctionVersion: '1' })
const aliasView = (Name: string) => ({
  AliasArn: `${ARN}:${Name}`,
  Description: '',
  FunctionVersion: '1',
  Name,
  RevisionId: '<uuid>',
})

export const listCases: readonly ParityCase[] = [
  {
    operation: 'ListFunctions',
    name: 'the first page',
    given: [named('a'), named('b')],
    input: { MaxItems: 1 },
    expect: ok({ Functions: [shown('a')], NextMarker: '<marker>' }),
    source: PAGES,
  },
  {
    operation: 'ListFunctions',
    name: 'the last page',
    given: [named('a'), named('b'), step('ListFunctions', { MaxItems: 1 }, { as: 'first' })],
    input: { MaxItems: 1, Marker: '<first.NextMarker>' },
    expect: ok({ Functions: [shown('b')] }),
    source: PAGES,
  },
  {
    operation: 'ListVersionsByFunction',
    name: 'the first page',
    given: [fnWith({ Publish: true })],
    input: { FunctionName: 'fn', MaxItems: 1 },
    expect: ok({ Versions: [listed()], NextMarker: '<marker>' }),
    source: PAGES,
  },
  {
    operation: 'ListVersionsByFunction',
    name: 'the last page',
    given: [
      fnWith({ Publish: true }),
      step('ListVersionsByFunction', { FunctionName: 'fn', MaxItems: 1 }, { as: 'first' }),
    ],
    input: { FunctionName: 'fn', MaxItems: 1, Marker: '<first.NextMarker>' },
    expect: ok({ Versions: [listed({ FunctionArn: `${ARN}:1`, Version: '1' })] }),
    source: PAGES,
  },
  {
    operation: 'ListVersionsByFunction',
    name: 'of a function that is not there',
    input: { FunctionName: 'fn' },
    expect: missing,
    source: OTHERS,
  },
  {
    operation: 'ListAliases',
    name: 'of a function that is not there',
    input: { FunctionName: 'fn' },
    expect: missing,
    source: OTHERS,
  },
  {
    operation: 'ListAliases',
    name: 'the first page',
    given: [FN, publish(), alias('a'), alias('b')],
    input: { FunctionName: 'fn', MaxItems: 1 },
    expect: ok({ Aliases: [aliasView('a')], NextMarker: '<marker>' }),
    source: PAGES,
  },
  {
    operation: 'ListAliases',
    name: 'the last page',
    given: [
      FN,
      publish(),
      alias('a'),
      alias('b'),
      step('ListAliases', { FunctionName: 'fn', MaxItems: 1 }, { as: 'first' }),
    ],
    input: { FunctionName: 'fn', Marker: '<first.NextMarker>' },
    expect: ok({ Aliases: [aliasView('b')] }),
    source: PAGES,
  },
  {
    operation: 'ListLayers',
    name: 'none',
    input: {},
    expect: ok({ Layers: [] }),
    source: LAYERS,
  },
  {
    operation: 'ListLayers',
    name: 'one, with its latest version',
    given: [LAYER],
    input: {},
    expect: ok({ Layers: [latest] }),
    source: LAYERS,
  },
  {
    operation: 'ListLayers',
    name: 'for another runtime',
    given: [LAYER],
    input: { CompatibleRuntime: 'nodejs22.x' },
    expect: ok({ Layers: [] }),
    source: documented('ListLayers in the API reference: CompatibleRuntime'),
  },
  {
    operation: 'ListLayers',
    name: 'for this runtime',
    given: [LAYER],
    input: { CompatibleRuntime: 'python3.12' },
    expect: ok({ Layers: [latest] }),
    source: documented('ListLayers in the API reference: CompatibleRuntime'),
  },
  {
    operation: 'ListLayerVersions',
    name: 'for another processor',
    given: [LAYER],
    input: { LayerName: 'layer', CompatibleArchitecture: 'arm64' },
    expect: ok({ LayerVersions: [] }),
    source: documented('ListLayerVersions in the API reference: CompatibleArchitecture'),
  },
  {
    operation: 'ListLayerVersions',
    name: 'the first page',
    given: [LAYER, LAYER],
    input: { LayerName: 'layer', MaxItems: 1 },
    expect: ok({
      LayerVersions: [{ ...latest.LatestMatchingVersion, LayerVersionArn: `${LAYER_ARN}:2`, Version: 2 }],
      NextMarker: '<marker>',
    }),
    source: PAGES,
  },
  {
    operation: 'ListCodeSigningConfigs',
    name: 'none',
    input: {},
    expect: ok({ CodeSigningConfigs: [] }),
    source: documented('ListCodeSigningConfigs in the API reference'),
  },
  {
    operation: 'DeleteFunctionConcurrency',
    name: 'that was never put',
    given: [FN],
    input: { FunctionName: 'fn' },
    expect: { status: 204, body: '' },
    source: unverified('that there is nothing to complain about'),
  },
  {
    operation: 'DeleteFunctionConcurrency',
    name: 'of a function that is not there',
    input: { FunctionName: 'fn' },
    expect: missing,
    source: OTHERS,
  },
  {
    operation: 'DeleteAlias',
    name: 'of a function that is not there',
    input: { FunctionName: 'fn', Name: 'live' },
    expect: missing,
    source: OTHERS,
  },
  {
    operation: 'GetAlias',
    name: 'of a function that is not there',
    input: { FunctionName: 'fn', Name: 'live' },
    expect: notFound(`Cannot find alias arn: ${ARN}:live`),
    source: unverified('the text that was recorded for a missing alias of a function'),
  },
]
