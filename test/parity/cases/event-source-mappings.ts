/** Event source mappings: what the operations answer. Whether a source is polled is not asked here. */
import { ARN, FN, fnWith } from '../function-bodies.ts'
import {
  conflict,
  documented,
  invalid,
  notFound,
  ok,
  recorded,
  step,
  validation,
  type Expectation,
  type Input,
  type ParityCase,
} from '../parity-case.ts'

const from = (name: string) =>
  recorded(`localstack test_lambda_api TestLambdaEventSourceMappings.${name}, 2024`)
const EXCEPTIONS = from('test_event_source_mapping_exceptions')
const LIFECYCLE = from('test_event_source_mapping_lifecycle')
const NAMES = from('test_function_name_variations')
const POSITIONS = recorded(
  'localstack event_source_mapping/test_api TestLambdaEventSourceMappings.test_create_starting_position_validation_exceptions, 2025',
)

const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:queue'
const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/table/stream/2024-01-01T00:00:00.000'
const STREAM = 'arn:aws:kinesis:us-east-1:000000000000:stream/stream'
const NOBODY = '5b1f4ff0-8e6a-4d7c-9d3a-6c1f7f0c1a11'
const GONE = notFound('The resource you requested does not exist.')

const create = (more: Input = {}) => ({ FunctionName: 'fn', EventSourceArn: QUEUE, ...more })
const MAPPED = step('CreateEventSourceMapping', create(), { as: 'esm' })
const ENABLED = [
  FN,
  MAPPED,
  step('GetEventSourceMapping', { UUID: '<esm.UUID>' }, { until: { member: 'State', is: 'Enabled' } }),
]
const MAPPING = { UUID: '<esm.UUID>' }
/** Recorded in 2024 without EventSourceMappingArn, which the API model has had since that year's end. */
const base = (more: Input) => ({
  EventSourceMappingArn: 'arn:aws:lambda:us-east-1:000000000000:event-source-mapping:<uuid>',
  FunctionArn: ARN,
  FunctionResponseTypes: [],
  LastModified: '<epoch>',
  UUID: '<uuid>',
  ...more,
})
const queue = (more: Input = {}) =>
  base({
    BatchSize: 10,
    EventSourceArn: QUEUE,
    MaximumBatchingWindowInSeconds: 0,
    State: 'Creating',
    StateTransitionReason: 'USER_INITIATED',
    ...more,
  })
const stream = (more: Input = {}) =>
  base({
    BatchSize: 1,
    BisectBatchOnFunctionError: false,
    DestinationConfig: { OnFailure: { Destination: QUEUE } },
    EventSourceArn: TABLE,
    LastProcessingResult: 'No records processed',
    MaximumBatchingWindowInSeconds: 1,
    MaximumRecordAgeInSeconds: -1,
    MaximumRetryAttempts: 1,
    ParallelizationFactor: 1,
    StartingPosition: 'TRIM_HORIZON',
    State: 'Creating',
    StateTransitionReason: 'User action',
    TumblingWindowInSeconds: 0,
    ...more,
  })
const STREAMED = {
  EventSourceArn: TABLE,
  StartingPosition: 'TRIM_HORIZON',
  BatchSize: 1,
  MaximumBatchingWindowInSeconds: 1,
  MaximumRetryAttempts: 1,
  DestinationConfig: { OnFailure: { Destination: QUEUE } },
}
const accepted = (body: unknown): Expectation => ({ status: 202, body })
const PUBLISHED = [
  fnWith({ Publish: true }),
  step('CreateAlias', { FunctionName: 'fn', Name: 'myalias', FunctionVersion: '1' }),
]

const creating = (
  name: string,
  input: Input,
  expect: Expectation,
  source: ParityCase['source'],
  given: ParityCase['given'] = [FN],
): ParityCase => ({
  operation: 'CreateEventSourceMapping',
  name,
  given: given ?? [],
  input: create(input),
  expect,
  source,
})

const variation = (name: string, FunctionName: string, FunctionArn: string) =>
  creating(name, { FunctionName }, accepted(queue({ FunctionArn })), NAMES, PUBLISHED)

const positions = (what: string, source: string, wrong: Expectation): ParityCase[] => [
  creating(
    `${what}: a position that is none`,
    { EventSourceArn: source, StartingPosition: '0' },
    validation(
      "1 validation error detected: Value '0' at 'startingPosition' failed to satisfy constraint: Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]",
    ),
    POSITIONS,
  ),
  creating(
    `${what}: a time with another position`,
    {
      EventSourceArn: source,
      StartingPosition: 'LATEST',
      StartingPositionTimestamp: new Date('2025-02-17T00:00:00Z'),
    },
    wrong,
    POSITIONS,
  ),
]

export const eventSourceMappingCases: readonly ParityCase[] = [
  creating('a queue', {}, accepted(queue()), NAMES),
  variation('name:$LATEST', '000000000000:function:fn:$LATEST', `${ARN}:$LATEST`),
  variation('name:version', '000000000000:function:fn:1', `${ARN}:1`),
  variation('name:alias', '000000000000:function:fn:myalias', `${ARN}:myalias`),
  variation('the ARN', ARN, ARN),
  variation('the ARN of a version', `${ARN}:1`, `${ARN}:1`),
  variation('the ARN of an alias', `${ARN}:myalias`, `${ARN}:myalias`),
  creating('a table', STREAMED, accepted(stream()), LIFECYCLE),
  creating('no source', { EventSourceArn: undefined }, invalid('Unrecognized event source.'), EXCEPTIONS),
  creating(
    'of a function that is not there',
    { FunctionName: 'doesnotexist' },
    invalid('Function does not exist'),
    EXCEPTIONS,
    [],
  ),
  creating(
    'a queue twice',
    {},
    conflict(
      `An event source mapping with SQS arn (" ${QUEUE} ") and function (" fn ") already exists. Please update or delete the existing mapping with UUID <esm.UUID>`,
    ),
    recorded('localstack event_source_mapping test_duplicate_event_source_mappings, 2024'),
    [FN, MAPPED],
  ),
  creating(
    'a large batch without a window',
    { BatchSize: 11 },
    invalid(
      'Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10',
    ),
    recorded('localstack event_source_mapping test_sqs_event_source_mapping_batch_size_override, 2024'),
  ),
  creating(
    'a filter that is none',
    { FilterCriteria: { Filters: [{ Pattern: 'no json' }] } },
    invalid('Invalid filter pattern definition.'),
    recorded('localstack event_source_mapping test_sqs_invalid_event_filter, 2024'),
  ),
  ...positions('a stream', STREAM, invalid('Timestamp only valid with StartingPosition AT_TIMESTAMP')),
  ...positions('a table', TABLE, invalid('Timestamp only valid with StartingPosition AT_TIMESTAMP')),
  ...positions('a queue', QUEUE, invalid('StartingPosition is not valid for SQS event sources.')),
  creating(
    'a table from a time',
    {
      EventSourceArn: TABLE,
      StartingPosition: 'AT_TIMESTAMP',
      StartingPositionTimestamp: new Date('2025-02-17T00:00:00Z'),
    },
    invalid(`Unsupported starting position for arn type: ${TABLE}`),
    POSITIONS,
  ),
  ...(['GetEventSourceMapping', 'UpdateEventSourceMapping', 'DeleteEventSourceMapping'] as const).map(
    (operation): ParityCase => ({
      operation,
      name: 'that is not there',
      input: { UUID: NOBODY, ...(operation.startsWith('Update') && { Enabled: false }) },
      expect: GONE,
      source: EXCEPTIONS,
    }),
  ),
  {
    operation: 'ListEventSourceMappings',
    name: 'none',
    input: {},
    expect: ok({ EventSourceMappings: [] }),
    source: documented('ListEventSourceMappings in the API reference'),
  },
  {
    operation: 'ListEventSourceMappings',
    name: 'of another source',
    given: [FN, MAPPED],
    input: { EventSourceArn: STREAM },
    expect: ok({ EventSourceMappings: [] }),
    source: documented('ListEventSourceMappings in the API reference: EventSourceArn'),
  },
  {
    operation: 'DeleteEventSourceMapping',
    name: 'answers with the mapping as it goes',
    given: ENABLED,
    input: MAPPING,
    expect: accepted(queue({ State: 'Deleting' })),
    source: LIFECYCLE,
  },
  {
    operation: 'GetEventSourceMapping',
    name: 'that is enabled',
    given: ENABLED,
    input: MAPPING,
    expect: ok(queue({ State: 'Enabled' })),
    source: NAMES,
  },
  {
    operation: 'ListEventSourceMappings',
    name: 'of a function',
    given: ENABLED,
    input: { FunctionName: 'fn' },
    expect: ok({ EventSourceMappings: [queue({ State: 'Enabled' })] }),
    source: NAMES,
  },
  {
    operation: 'UpdateEventSourceMapping',
    name: 'the size of its batches',
    given: ENABLED,
    input: { ...MAPPING, BatchSize: 5 },
    expect: accepted(queue({ BatchSize: 5, State: 'Updating' })),
    source: documented('UpdateEventSourceMapping in the API reference'),
  },
  {
    operation: 'UpdateEventSourceMapping',
    name: 'disabled',
    given: ENABLED,
    input: { ...MAPPING, Enabled: false },
    expect: accepted(queue({ State: 'Disabling' })),
    source: documented('UpdateEventSourceMapping in the API reference'),
  },
]
