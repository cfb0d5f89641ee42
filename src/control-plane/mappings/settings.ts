/** The settings of a mapping: from a request, on top of the source's defaults or of what was set before. Pure. */
import type { SourceAccessConfiguration } from '@aws-sdk/client-lambda'

import { invalidParameter } from '#contracts/errors.ts'
import type { EventSource, MappingSettings } from '#contracts/mapping.ts'

import { withoutUndefined } from '../functions/configuration.ts'
import type { SettingsRequest } from './mapping-request.ts'
import { rulesOf, unsupported } from './source-rules.ts'

/**
 * Everything but the filters, which may have to be sealed. What the request leaves out stays; an empty structure or list
 * takes a setting away (API reference).
 */
export function changedSettings(
  source: EventSource,
  before: MappingSettings,
  request: SettingsRequest,
): MappingSettings {
  const settings = withoutUndefined<MappingSettings>({
    ...before,
    batchSize: request.BatchSize ?? before.batchSize,
    maximumBatchingWindowSeconds:
      request.MaximumBatchingWindowInSeconds ?? before.maximumBatchingWindowSeconds,
    parallelizationFactor: request.ParallelizationFactor ?? before.parallelizationFactor,
    maximumRecordAgeSeconds: request.MaximumRecordAgeInSeconds ?? before.maximumRecordAgeSeconds,
    maximumRetryAttempts: request.MaximumRetryAttempts ?? before.maximumRetryAttempts,
    bisectBatchOnFunctionError: request.BisectBatchOnFunctionError ?? before.bisectBatchOnFunctionError,
    tumblingWindowSeconds: request.TumblingWindowInSeconds ?? before.tumblingWindowSeconds,
    functionResponseTypes: request.FunctionResponseTypes ?? before.functionResponseTypes,
    onFailure: onFailureOf(source, before, request),
    maximumConcurrency: request.ScalingConfig
      ? request.ScalingConfig.MaximumConcurrency
      : before.maximumConcurrency,
    provisionedPollers: pollersOf(source, before, request),
    sourceAccess: accessOf(source, request.SourceAccessConfigurations) ?? before.sourceAccess,
    metrics: metricsOf(source, request) ?? before.metrics,
    systemLogLevel: request.LoggingConfig ? request.LoggingConfig.SystemLogLevel : before.systemLogLevel,
  })
  assertTogether(source, settings)
  return settings
}

/** Rules that several members make together, whichever of them the request names. */
function assertTogether(source: EventSource, settings: MappingSettings): void {
  const { batchSize, maximumBatchingWindowSeconds: window = 0, maximumRecordAgeSeconds: age } = settings
  if (source.kind === 'sqs') {
    // Texts recorded from AWS, or reported by clients.
    if (source.fifo && window > 0) {
      throw invalidParameter('Batching window is not supported for FIFO queues')
    }
    if (source.fifo && batchSize > MAX_FIFO_BATCH) {
      throw invalidParameter(`Maximum batch size must be between 1 and ${MAX_FIFO_BATCH} inclusive`)
    }
    if (batchSize > MAX_BATCH_WITHOUT_WINDOW && window === 0) {
      throw invalidParameter(
        'Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10',
      )
    }
    if (settings.maximumConcurrency !== undefined && settings.provisionedPollers) {
      // Documented; text unverified.
      throw invalidParameter('MaximumConcurrency and ProvisionedPollerConfig cannot be used together.')
    }
  }
  if (source.kind === 'kafka' && source.consumptionMode === 'Queue' && window > 0) {
    throw unsupported('MaximumBatchingWindowInSeconds')
  }
  if (age !== undefined && age !== -1 && age < MIN_RECORD_AGE_SECONDS) {
    // Reported by clients of AWS.
    throw invalidParameter(
      `MaximumRecordAgeInSeconds must be either -1 (forever) or between ${MIN_RECORD_AGE_SECONDS} and 604800 (inclusive)`,
    )
  }
}

const MAX_FIFO_BATCH = 10
/** Recorded: streams take 100 without a window, though the guide says otherwise. */
const MAX_BATCH_WITHOUT_WINDOW = 10
const MIN_RECORD_AGE_SECONDS = 60

/** Queue, topic or bucket; Kafka sources may also name one of their own topics. */
const DESTINATION = /^arn:aws[a-zA-Z0-9-]*:(?:sqs|sns|s3):/

function onFailureOf(
  { kind }: EventSource,
  before: MappingSettings,
  { DestinationConfig: config }: SettingsRequest,
): MappingSettings['onFailure'] {
  if (config?.OnFailure === undefined) return before.onFailure
  const arn = config.OnFailure.Destination
  if (!arn) return {}
  const isKafka = kind === 'msk' || kind === 'kafka'
  if (!DESTINATION.test(arn) && !(isKafka && arn.startsWith('kafka://'))) {
    // The text is recorded for asynchronous invocations; for mappings it is unverified.
    throw invalidParameter(
      `The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination=${arn})) is invalid.`,
    )
  }
  return { arn }
}

/** An empty structure leaves the provisioned mode. */
function pollersOf(
  source: EventSource,
  before: MappingSettings,
  { ProvisionedPollerConfig: config }: SettingsRequest,
): MappingSettings['provisionedPollers'] {
  const bounds = rulesOf(source).pollers
  if (!config || !bounds) return before.provisionedPollers
  if (Object.values(config).every((value) => value === undefined)) return undefined
  const minimum = config.MinimumPollers ?? before.provisionedPollers?.minimum ?? bounds.minimum
  const maximum =
    config.MaximumPollers ?? before.provisionedPollers?.maximum ?? Math.max(bounds.maximum, minimum)
  const group = config.PollerGroupName ?? before.provisionedPollers?.group
  // The bounds are documented; the texts are unverified.
  if (minimum < bounds.minimum || maximum < bounds.minimum || maximum > bounds.limit) {
    throw invalidParameter(
      `MinimumPollers must be between ${bounds.minimum} and 200, and MaximumPollers between ${bounds.minimum} and ${bounds.limit}, for the given event source mapping type.`,
    )
  }
  if (minimum > maximum) {
    throw invalidParameter('MinimumPollers must be less than or equal to MaximumPollers.')
  }
  if (group && source.kind === 'sqs')
    throw invalidParameter('PollerGroupName is not valid for SQS event sources.')
  return { minimum, maximum, ...(group && { group }) }
}

/** Which kinds of access each source knows (API reference, SourceAccessConfiguration). */
const ACCESS: Readonly<Partial<Record<EventSource['kind'], readonly string[]>>> = {
  msk: ['SASL_SCRAM_512_AUTH', 'CLIENT_CERTIFICATE_TLS_AUTH'],
  kafka: [
    'BASIC_AUTH',
    'VPC_SUBNET',
    'VPC_SECURITY_GROUP',
    'SASL_SCRAM_256_AUTH',
    'SASL_SCRAM_512_AUTH',
    'CLIENT_CERTIFICATE_TLS_AUTH',
    'SERVER_ROOT_CA_CERTIFICATE',
  ],
  mq: ['BASIC_AUTH', 'VIRTUAL_HOST'],
  documentdb: ['BASIC_AUTH'],
}

function accessOf(
  { kind }: EventSource,
  configurations: readonly SourceAccessConfiguration[] | undefined,
): MappingSettings['sourceAccess'] {
  if (configurations === undefined) return undefined
  const known = ACCESS[kind] ?? []
  for (const { Type } of configurations) {
    // Text unverified.
    if (Type !== undefined && !known.includes(Type)) {
      throw invalidParameter(`Unsupported source access type ${Type} for given event source mapping type.`)
    }
  }
  return configurations.map(({ Type, URI }) => withoutUndefined({ type: Type, uri: URI }))
}

function metricsOf(
  source: EventSource,
  { MetricsConfig: config }: SettingsRequest,
): MappingSettings['metrics'] {
  if (config === undefined) return undefined
  const metrics = config.Metrics ?? []
  for (const metric of metrics) {
    // Documented for ErrorCount and KafkaMetrics; text unverified.
    if (!rulesOf(source).metrics.includes(metric)) {
      throw invalidParameter(`Unsupported metric ${metric} for given event source mapping type.`)
    }
  }
  return metrics
}
