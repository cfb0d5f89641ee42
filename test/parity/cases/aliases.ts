/** Aliases: their life, their routing, and what is wrong with either. */
import { ARN, FN, configure, got, publish, version } from '../function-bodies.ts'
import {
  conflict,
  created,
  invalid,
  noContent,
  notFound,
  observed,
  ok,
  precondition,
  recorded,
  refused,
  step,
  unverified,
  validation,
  type Input,
  type ParityCase,
} from '../parity-case.ts'

const LIFECYCLE = recorded('localstack test_lambda_api TestLambdaAlias.test_alias_lifecycle, 2024')
const ROUTING = recorded(
  'localstack test_lambda_api TestLambdaAlias.test_notfound_and_invalid_routingconfigs, 2024',
)
const REVISIONS = recorded(
  'localstack test_lambda_api TestLambdaRevisions.test_function_revisions_version_and_alias, 2024',
)

const NAMING = recorded('localstack test_lambda_api TestLambdaAlias.test_alias_naming, 2024')

const TWO_VERSIONS = [FN, publish(), configure({ Description: 'two' }), publish()]
const alias = (more: Input = {}) => ({ FunctionName: 'fn', Name: 'live', FunctionVersion: '1', ...more })
const view = (more: Input = {}) => ({
  AliasArn: `${ARN}:live`,
  Description: '',
  FunctionVersion: '1',
  Name: 'live',
  RevisionId: '<uuid>',
  ...more,
})
const LIVE = step('CreateAlias', alias({ Description: 'custom-alias' }), { as: 'alias' })
const ROUTED = step(
  'CreateAlias',
  alias({ Description: 'custom-alias', RoutingConfig: { AdditionalVersionWeights: { 2: 0.2 } } }),
)
const weights = (text: string, rules: string) =>
  validation(
    `1 validation error detected: Value '${text}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: ${rules}`,
  )
const MAP_VALUE =
  'Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]'
const routed = (AdditionalVersionWeights: Input) => alias({ RoutingConfig: { AdditionalVersionWeights } })
const STALE =
  'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id'

export const aliasCases: readonly ParityCase[] = [
  {
    operation: 'CreateAlias',
    name: 'with a second version',
    given: TWO_VERSIONS,
    input: ROUTED.input,
    expect: created(
      view({ Description: 'custom-alias', RoutingConfig: { AdditionalVersionWeights: { 2: 0.2 } } }),
    ),
    source: LIFECYCLE,
  },
  {
    operation: 'GetAlias',
    name: 'with a second version',
    given: [...TWO_VERSIONS, ROUTED],
    input: { FunctionName: 'fn', Name: 'live' },
    expect: ok(
      view({ Description: 'custom-alias', RoutingConfig: { AdditionalVersionWeights: { 2: 0.2 } } }),
    ),
    source: LIFECYCLE,
  },
  {
    operation: 'GetFunction',
    name: 'by an alias',
    given: [FN, publish(), LIVE],
    input: { FunctionName: 'fn', Qualifier: 'live' },
    expect: ok(got(version('1', { FunctionArn: `${ARN}:live` }))),
    source: LIFECYCLE,
  },
  {
    operation: 'GetFunction',
    name: 'by the ARN of an alias',
    given: [FN, publish(), LIVE],
    input: { FunctionName: `${ARN}:live` },
    expect: ok(got(version('1', { FunctionArn: `${ARN}:live` }))),
    source: LIFECYCLE,
  },
  {
    operation: 'GetFunction',
    name: 'by an alias that is not there',
    given: [FN],
    input: { FunctionName: 'fn', Qualifier: 'aliasdoesnotexist' },
    expect: notFound(`Function not found: ${ARN}:aliasdoesnotexist`),
    source: LIFECYCLE,
  },
  {
    operation: 'GetFunction',
    name: 'by the ARN of an alias that is not there',
    given: [FN],
    input: { FunctionName: `${ARN}:aliasdoesnotexist` },
    expect: notFound(`Function not found: ${ARN}:aliasdoesnotexist`),
    source: LIFECYCLE,
  },
  {
    operation: 'CreateAlias',
    name: 'without routing',
    given: [FN, publish()],
    input: LIVE.input,
    expect: created(view({ Description: 'custom-alias' })),
    source: LIFECYCLE,
  },
  {
    operation: 'CreateAlias',
    name: 'without a description: the answer has an empty one',
    given: [FN, publish()],
    input: alias(),
    expect: created(view()),
    source: LIFECYCLE,
  },
  {
    operation: 'GetAlias',
    name: 'without routing and description',
    given: [FN, publish(), step('CreateAlias', alias())],
    input: { FunctionName: 'fn', Name: 'live' },
    expect: ok(view()),
    source: LIFECYCLE,
  },
  {
    operation: 'ListAliases',
    name: 'of a function, in the order of their names',
    given: [
      ...TWO_VERSIONS,
      step('CreateAlias', alias({ Name: 'b', FunctionVersion: '2' })),
      step('CreateAlias', alias({ Name: 'a', RoutingConfig: { AdditionalVersionWeights: { 2: 0.2 } } })),
    ],
    input: { FunctionName: 'fn' },
    expect: ok({
      Aliases: [
        view({
          AliasArn: `${ARN}:a`,
          Name: 'a',
          RoutingConfig: { AdditionalVersionWeights: { 2: 0.2 } },
        }),
        view({ AliasArn: `${ARN}:b`, Name: 'b', FunctionVersion: '2' }),
      ],
    }),
    source: LIFECYCLE,
  },
  {
    operation: 'ListAliases',
    name: 'of one version',
    given: [
      ...TWO_VERSIONS,
      step('CreateAlias', alias({ Name: 'one' })),
      step('CreateAlias', alias({ Name: 'two', FunctionVersion: '2' })),
    ],
    input: { FunctionName: 'fn', FunctionVersion: '1' },
    expect: ok({ Aliases: [view({ AliasArn: `${ARN}:one`, Name: 'one' })] }),
    source: LIFECYCLE,
  },
  {
    operation: 'UpdateAlias',
    name: 'empty routing takes the second version away',
    given: [...TWO_VERSIONS, ROUTED],
    input: { FunctionName: 'fn', Name: 'live', RoutingConfig: { AdditionalVersionWeights: {} } },
    expect: ok(view({ Description: 'custom-alias' })),
    source: LIFECYCLE,
  },
  {
    operation: 'UpdateAlias',
    name: 'without anything to change',
    given: [FN, publish(), LIVE],
    input: { FunctionName: 'fn', Name: 'live' },
    expect: ok(view({ Description: 'custom-alias' })),
    source: LIFECYCLE,
  },
  {
    operation: 'DeleteAlias',
    name: 'answers without a body',
    given: [FN, publish(), LIVE],
    input: { FunctionName: 'fn', Name: 'live' },
    expect: noContent,
    source: LIFECYCLE,
  },
  {
    operation: 'ListAliases',
    name: 'after the last one was deleted',
    given: [FN, publish(), LIVE, step('DeleteAlias', { FunctionName: 'fn', Name: 'live' })],
    input: { FunctionName: 'fn' },
    expect: ok({ Aliases: [] }),
    source: LIFECYCLE,
  },
  {
    operation: 'CreateAlias',
    name: 'three versions',
    given: TWO_VERSIONS,
    input: routed({ 1: 0.1, 2: 0.5 }),
    expect: invalid('Number of items in AdditionalVersionWeights cannot be greater than 1'),
    source: ROUTING,
  },
  {
    operation: 'CreateAlias',
    name: 'a weight above one',
    given: TWO_VERSIONS,
    input: routed({ 2: 2 }),
    expect: weights('{2=2.0}', MAP_VALUE),
    source: ROUTING,
  },
  {
    operation: 'CreateAlias',
    name: 'a weight below zero',
    given: TWO_VERSIONS,
    input: routed({ 2: -1 }),
    expect: weights('{2=-1.0}', MAP_VALUE),
    source: ROUTING,
  },
  {
    operation: 'CreateAlias',
    name: 'the same version twice',
    given: TWO_VERSIONS,
    input: routed({ 1: 0.5 }),
    expect: invalid(
      'Invalid function version 1. Function version 1 is already included in routing configuration.',
    ),
    source: ROUTING,
  },
  {
    operation: 'CreateAlias',
    name: 'a version that is not there',
    given: [FN, publish()],
    input: alias({ FunctionVersion: '10' }),
    expect: notFound(`Function not found: ${ARN}:10`),
    source: ROUTING,
  },
  {
    operation: 'CreateAlias',
    name: 'a second version that is not there',
    given: [FN, publish()],
    input: routed({ 10: 0.5 }),
    expect: notFound(`Function not found: ${ARN}:10`),
    source: ROUTING,
  },
  {
    operation: 'CreateAlias',
    name: '$LATEST with a second version',
    given: [FN, publish()],
    input: alias({
      FunctionVersion: '$LATEST',
      RoutingConfig: { AdditionalVersionWeights: { 1: 0.5 } },
    }),
    // Recorded without a `Type`.
    expect: refused(400, 'InvalidParameterValueException', {
      message: '$LATEST is not supported for an alias pointing to more than 1 version',
    }),
    source: ROUTING,
  },
  {
    operation: 'CreateAlias',
    name: '$LATEST as the second version',
    given: [FN, publish()],
    input: routed({ $LATEST: 0.5 }),
    expect: weights(
      '{$LATEST=0.5}',
      'Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, Member must not be null]',
    ),
    source: ROUTING,
  },
  {
    operation: 'CreateAlias',
    name: 'of $LATEST',
    given: [FN],
    input: alias({ FunctionVersion: '$LATEST' }),
    expect: created(view({ FunctionVersion: '$LATEST' })),
    source: ROUTING,
  },
  {
    operation: 'CreateAlias',
    name: 'of a function that is not there',
    input: alias(),
    expect: notFound(`Function not found: ${ARN}:1`),
    source: ROUTING,
  },
  {
    operation: 'CreateAlias',
    name: 'with empty routing',
    given: [FN, publish()],
    input: alias({ RoutingConfig: {} }),
    expect: created(view()),
    source: ROUTING,
  },
  {
    operation: 'CreateAlias',
    name: 'that is there already',
    given: [FN, publish(), LIVE],
    input: alias(),
    expect: conflict(`Alias already exists: ${ARN}:live`),
    source: ROUTING,
  },
  {
    operation: 'GetAlias',
    name: 'that is not there',
    given: [FN],
    input: { FunctionName: 'fn', Name: 'non-existent' },
    expect: notFound(`Cannot find alias arn: ${ARN}:non-existent`),
    source: ROUTING,
  },
  {
    operation: 'UpdateAlias',
    name: 'that is not there',
    given: [FN, publish()],
    input: { FunctionName: 'fn', Name: 'non-existent', FunctionVersion: '1' },
    expect: notFound(`Cannot find alias arn: ${ARN}:non-existent`),
    source: unverified('the text that was recorded for GetAlias'),
  },
  {
    operation: 'DeleteAlias',
    name: 'that is not there',
    given: [FN],
    input: { FunctionName: 'fn', Name: 'non-existent' },
    expect: noContent,
    source: observed('terraform-provider-aws, which deletes aliases without looking first'),
  },
  {
    operation: 'UpdateAlias',
    name: 'of another revision',
    given: [FN, publish(), LIVE],
    input: { FunctionName: 'fn', Name: 'live', RevisionId: 'wrong', Description: 'x' },
    expect: precondition(STALE),
    source: REVISIONS,
  },
  {
    operation: 'UpdateAlias',
    name: 'of this revision',
    given: [FN, publish(), LIVE],
    input: { FunctionName: 'fn', Name: 'live', RevisionId: '<alias.RevisionId>', Description: 'x' },
    expect: ok(view({ Description: 'x' })),
    source: REVISIONS,
  },
  {
    operation: 'DeleteFunction',
    name: 'a version that an alias needs',
    given: [FN, publish(), LIVE],
    input: { FunctionName: 'fn', Qualifier: '1' },
    expect: conflict('Unable to delete version because the following aliases reference it: [live]'),
    source: observed('go-lambda-cleanup and cloud-custodian, whose users met this error of AWS'),
  },
  {
    operation: 'CreateAlias',
    name: 'a date as its name',
    given: [FN, publish()],
    input: alias({ Name: '2024-01-02' }),
    expect: created(view({ AliasArn: `${ARN}:2024-01-02`, Name: '2024-01-02' })),
    source: NAMING,
  },
  {
    operation: 'CreateAlias',
    name: 'a number as its name',
    given: [FN, publish()],
    input: alias({ Name: '2024' }),
    expect: validation(
      "1 validation error detected: Value '2024' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
    ),
    source: NAMING,
  },
]
