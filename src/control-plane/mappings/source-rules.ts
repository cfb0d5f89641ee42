/** What each kind of source accepts and what it starts from: one table. Source: API reference and developer guide. */
import { invalidParameter } from '#contracts/errors.ts'
import type { EventSource, MappingSettings, SourceKind } from '#contracts/mapping.ts'

import { saysNothing, type CreateRequest } from './mapping-request.ts'

export type Member = keyof CreateRequest

export interface SourceRules {
  /** Members of the request that are not for every source. */
  readonly members: readonly Member[]
  /** Members without which there is no such mapping. */
  readonly required: readonly Member[]
  /** Undefined: the source has no position. */
  readonly startingPositions: readonly string[] | undefined
  readonly defaults: MappingSettings
  /** The provisioned mode's bounds and defaults; undefined: the source has none. */
  readonly pollers?: { readonly minimum: number; readonly maximum: number; readonly limit: number }
  readonly metrics: readonly string[]
  /** What AWS writes when a user has changed the mapping (recorded for SQS, Kinesis and DynamoDB). */
  readonly userReason: 'User action' | 'USER_INITIATED'
  /** Of a mapping that has not seen a record; SQS has none (recorded), brokers do (developer guide). */
  readonly lastProcessingResult?: string
}

const EVERY_SOURCE: ReadonlySet<Member> = new Set<Member>([
  'FunctionName',
  'EventSourceArn',
  'Enabled',
  'BatchSize',
  'FilterCriteria',
  'KMSKeyArn',
  'Tags',
  'MaximumBatchingWindowInSeconds',
])

const ALL_POSITIONS = ['LATEST', 'TRIM_HORIZON', 'AT_TIMESTAMP']
const NOTHING_YET = 'No records processed'
const POSITION: readonly Member[] = ['StartingPosition', 'StartingPositionTimestamp']
const FAILURES: readonly Member[] = [
  'DestinationConfig',
  'MaximumRecordAgeInSeconds',
  'MaximumRetryAttempts',
  'BisectBatchOnFunctionError',
  'FunctionResponseTypes',
]

/** Recorded from AWS: all of these are in every answer about a stream. */
const STREAM: SourceRules = {
  members: [...POSITION, ...FAILURES, 'ParallelizationFactor', 'TumblingWindowInSeconds', 'MetricsConfig'],
  required: ['StartingPosition'],
  startingPositions: ALL_POSITIONS,
  defaults: {
    batchSize: 100,
    maximumBatchingWindowSeconds: 0,
    parallelizationFactor: 1,
    maximumRecordAgeSeconds: -1,
    maximumRetryAttempts: -1,
    bisectBatchOnFunctionError: false,
    tumblingWindowSeconds: 0,
    functionResponseTypes: [],
    onFailure: {},
  },
  metrics: ['EventCount'],
  userReason: 'User action',
  lastProcessingResult: NOTHING_YET,
}

/** That members without a value are left out of answers is unverified for all sources but SQS and the streams. */
const KAFKA: SourceRules = {
  members: [
    ...POSITION,
    ...FAILURES,
    'Topics',
    'SourceAccessConfigurations',
    'ProvisionedPollerConfig',
    'MetricsConfig',
    'LoggingConfig',
  ],
  required: ['Topics', 'StartingPosition'],
  startingPositions: ALL_POSITIONS,
  defaults: { batchSize: 100 },
  pollers: { minimum: 1, maximum: 200, limit: 2000 },
  metrics: ['EventCount', 'ErrorCount', 'KafkaMetrics'],
  userReason: 'USER_INITIATED',
  lastProcessingResult: NOTHING_YET,
}

export const SOURCE_RULES: Readonly<Record<SourceKind, SourceRules>> = {
  sqs: {
    members: ['FunctionResponseTypes', 'ScalingConfig', 'ProvisionedPollerConfig', 'MetricsConfig'],
    required: [],
    startingPositions: undefined,
    defaults: { batchSize: 10, maximumBatchingWindowSeconds: 0, functionResponseTypes: [] },
    pollers: { minimum: 2, maximum: 200, limit: 10_000 },
    metrics: ['EventCount'],
    userReason: 'USER_INITIATED',
  },
  kinesis: STREAM,
  dynamodb: { ...STREAM, startingPositions: ['LATEST', 'TRIM_HORIZON'] },
  msk: { ...KAFKA, members: [...KAFKA.members, 'AmazonManagedKafkaEventSourceConfig'] },
  kafka: {
    ...KAFKA,
    members: [...KAFKA.members, 'SelfManagedEventSource', 'SelfManagedKafkaEventSourceConfig'],
    // In this order: access first (seen from AWS).
    required: ['SourceAccessConfigurations', 'Topics', 'StartingPosition'],
  },
  mq: {
    members: ['Queues', 'SourceAccessConfigurations'],
    required: ['Queues', 'SourceAccessConfigurations'],
    startingPositions: undefined,
    defaults: { batchSize: 100 },
    metrics: [],
    userReason: 'USER_INITIATED',
    lastProcessingResult: NOTHING_YET,
  },
  documentdb: {
    members: [...POSITION, 'DocumentDBEventSourceConfig', 'SourceAccessConfigurations'],
    required: ['DocumentDBEventSourceConfig', 'SourceAccessConfigurations', 'StartingPosition'],
    startingPositions: ALL_POSITIONS,
    defaults: { batchSize: 100 },
    metrics: [],
    userReason: 'USER_INITIATED',
    lastProcessingResult: NOTHING_YET,
  },
}

export const rulesOf = ({ kind }: EventSource) => SOURCE_RULES[kind]

const parameter = (member: Member) =>
  member === 'KMSKeyArn' ? 'kmsKeyArn' : `${member[0]?.toLowerCase() ?? ''}${member.slice(1)}`

/** As clients have reported it from AWS. */
export const unsupported = (member: Member) =>
  invalidParameter(
    member === 'DestinationConfig'
      ? // Recorded, without the quotes.
        'Unsupported DestinationConfig parameter for given event source mapping type.'
      : `Unsupported '${parameter(member)}' parameter for given event source mapping type.`,
  )

/** Refuses what the source does not have. `request` has the members of either operation. */
export function assertMembers(source: EventSource, request: Partial<CreateRequest>): void {
  const { members, startingPositions } = rulesOf(source)
  if (request.DestinationConfig?.OnSuccess !== undefined) throw unsupported('DestinationConfig')
  if (startingPositions === undefined && request.StartingPosition !== undefined && source.kind === 'sqs') {
    throw invalidParameter('StartingPosition is not valid for SQS event sources.')
  }
  for (const member of Object.keys(request) as Member[]) {
    if (EVERY_SOURCE.has(member) || members.includes(member)) continue
    if (member in request && !saysNothing(request[member])) throw unsupported(member)
  }
}

/** Refuses a new mapping that lacks what its source needs. */
export function assertComplete(source: EventSource, request: CreateRequest): void {
  for (const member of rulesOf(source).required) {
    if (!saysNothing(request[member])) continue
    if (member === 'StartingPosition') {
      if (source.kind === 'kafka' && source.consumptionMode === 'Queue') continue
      // Recorded from AWS for streams; with this code, though it reads like a ValidationException.
      throw invalidParameter(
        "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.",
      )
    }
    // Seen from AWS for sourceAccessConfigurations.
    throw invalidParameter(`Required '${parameter(member)}' parameter is missing.`)
  }
}
