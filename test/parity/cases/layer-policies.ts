/** Who may use a version of a layer. */
import {
  conflict,
  created,
  noContent,
  notFound,
  ok,
  precondition,
  recorded,
  step,
  validation,
  type Expectation,
  type Input,
  type ParityCase,
} from '../parity-case.ts'
import { LAYER, LAYER_ARN } from './layers.ts'

const EXCEPTIONS = recorded('localstack test_lambda_api TestLambdaLayer.test_layer_policy_exceptions, 2024')
const LIFECYCLE = recorded('localstack test_lambda_api TestLambdaLayer.test_layer_policy_lifecycle, 2024')

const target = { LayerName: 'layer', VersionNumber: 1 }
const allow = (StatementId: string, more: Input = {}) => ({
  ...target,
  StatementId,
  Action: 'lambda:GetLayerVersion',
  Principal: '*',
  ...more,
})
const statement = (Sid: string) => ({
  Sid,
  Effect: 'Allow',
  Principal: '*',
  Action: 'lambda:GetLayerVersion',
  Resource: `${LAYER_ARN}:1`,
})
const added = (Sid: string) => created({ RevisionId: '<uuid>', Statement: JSON.stringify(statement(Sid)) })
const policy = (...Statement: readonly unknown[]) =>
  ok({ Policy: JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement }), RevisionId: '<uuid>' })
const S1 = step('AddLayerVersionPermission', allow('s1'), { as: 's1' })
const S2 = step('AddLayerVersionPermission', allow('s2'), { as: 's2' })
const STALE = precondition(
  'The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the latest Revision Id',
)

/** Each of the three operations on a layer, or a version of it, that is not there. */
const missing = (operation: string, input: Input): ParityCase[] => {
  const absent = (name: string): Expectation => notFound(`Layer version ${name} does not exist.`)
  return [
    {
      operation,
      name: 'of a layer that is not there',
      input: { ...input, LayerName: 'doesnotexist' },
      expect: absent(`${LAYER_ARN.replace(/layer$/, 'doesnotexist')}:1`),
      source: EXCEPTIONS,
    },
    {
      operation,
      name: 'of a version that is not there',
      given: [LAYER],
      input: { ...input, VersionNumber: 2 },
      expect: absent(`${LAYER_ARN}:2`),
      source: EXCEPTIONS,
    },
  ]
}

export const layerPolicyCases: readonly ParityCase[] = [
  {
    operation: 'AddLayerVersionPermission',
    name: 'everybody',
    given: [LAYER],
    input: allow('s1'),
    expect: added('s1'),
    source: LIFECYCLE,
  },
  {
    operation: 'GetLayerVersionPolicy',
    name: 'one statement',
    given: [LAYER, S1],
    input: target,
    expect: policy(statement('s1')),
    source: LIFECYCLE,
  },
  {
    operation: 'AddLayerVersionPermission',
    name: 'a second statement',
    given: [LAYER, S1],
    input: allow('s2'),
    expect: added('s2'),
    source: LIFECYCLE,
  },
  {
    operation: 'GetLayerVersionPolicy',
    name: 'two statements',
    given: [LAYER, S1, S2],
    input: target,
    expect: policy(statement('s1'), statement('s2')),
    source: LIFECYCLE,
  },
  {
    operation: 'RemoveLayerVersionPermission',
    name: 'answers without a body',
    given: [LAYER, S1, S2],
    input: { ...target, StatementId: 's2' },
    expect: noContent,
    source: LIFECYCLE,
  },
  {
    operation: 'GetLayerVersionPolicy',
    name: 'after one of two was removed',
    given: [LAYER, S1, S2, step('RemoveLayerVersionPermission', { ...target, StatementId: 's2' })],
    input: target,
    expect: policy(statement('s1')),
    source: LIFECYCLE,
  },
  {
    operation: 'GetLayerVersionPolicy',
    name: 'none',
    given: [LAYER],
    input: target,
    expect: notFound('No policy is associated with the given resource.'),
    source: EXCEPTIONS,
  },
  {
    operation: 'AddLayerVersionPermission',
    name: 'any action',
    given: [LAYER],
    input: allow('s1', { Action: '*' }),
    expect: validation(
      "1 validation error detected: Value '*' at 'action' failed to satisfy constraint: Member must satisfy regular expression pattern: lambda:GetLayerVersion",
    ),
    source: EXCEPTIONS,
  },
  {
    operation: 'AddLayerVersionPermission',
    name: 'a statement id that is taken',
    given: [LAYER, S1],
    input: allow('s1'),
    expect: conflict(
      'The statement id (s1) provided already exists. Please provide a new statement id, or remove the existing statement.',
    ),
    source: EXCEPTIONS,
  },
  {
    operation: 'AddLayerVersionPermission',
    name: 'of another revision',
    given: [LAYER, S1],
    input: allow('s2', { RevisionId: 'wrong' }),
    expect: STALE,
    source: EXCEPTIONS,
  },
  {
    operation: 'AddLayerVersionPermission',
    name: 'of this revision',
    given: [LAYER, S1],
    input: allow('s2', { RevisionId: '<s1.RevisionId>' }),
    expect: added('s2'),
    source: EXCEPTIONS,
  },
  ...missing('AddLayerVersionPermission', allow('s1')),
  ...missing('GetLayerVersionPolicy', target),
  ...missing('RemoveLayerVersionPermission', { ...target, StatementId: 's1' }),
  {
    operation: 'RemoveLayerVersionPermission',
    name: 'a statement that is not there',
    given: [LAYER, S1],
    input: { ...target, StatementId: 'doesnotexist' },
    expect: notFound('Statement doesnotexist is not found in resource policy.'),
    source: EXCEPTIONS,
  },
  {
    operation: 'RemoveLayerVersionPermission',
    name: 'of another revision',
    given: [LAYER, S1],
    input: { ...target, StatementId: 's1', RevisionId: 'wrong' },
    expect: STALE,
    source: EXCEPTIONS,
  },
]
