/** How mappings look in the API's answers. Which members are there for which source is recorded where source-rules says so. */
import type {
  AmazonManagedKafkaEventSourceConfig,
  EventSourceMappingConfiguration,
  KafkaSchemaRegistryConfig,
} from '@aws-sdk/client-lambda'

import { mappingArn } from '#contracts/arn.ts'
import type { FilterVault } from '#contracts/filter-vault.ts'
import {
  mappingFunctionArn,
  type EventSource,
  type EventSourceMapping,
  type MappingSettings,
  type SchemaRegistry,
} from '#contracts/mapping.ts'

import { withoutUndefined } from '../functions/configuration.ts'
import { arnOfSource } from './event-source.ts'
import { filtersHidden } from './filters.ts'

type View = EventSourceMappingConfiguration

/** The whole mapping: what GetEventSourceMapping and the writing operations answer. */
export async function mappingView(mapping: EventSourceMapping, vault: FilterVault): Promise<View> {
  return withoutUndefined<View>({ ...listedMapping(mapping), ...(await filtersView(mapping, vault)) })
}

/** A mapping in a list: filters that rest under a key are left out (API reference). */
export function listedMapping(mapping: EventSourceMapping): View {
  return withoutUndefined<View>({
    UUID: mapping.uuid,
    EventSourceMappingArn: mappingArn(mapping, mapping.uuid),
    EventSourceArn: arnOfSource(mapping.source),
    FunctionArn: mappingFunctionArn(mapping),
    LastModified: new Date(mapping.modifiedAt),
    LastProcessingResult: mapping.lastProcessingResult,
    State: mapping.state,
    StateTransitionReason: mapping.stateTransitionReason,
    StartingPosition: mapping.startingPosition,
    StartingPositionTimestamp:
      mapping.startingPositionTimestamp === undefined
        ? undefined
        : new Date(mapping.startingPositionTimestamp),
    ...sourceView(mapping.source),
    ...settingsView(mapping.settings),
    FilterCriteria: criteria(mapping.settings.filters),
  })
}

const criteria = (patterns: readonly string[] | undefined) =>
  patterns && { Filters: patterns.map((Pattern) => ({ Pattern })) }

async function filtersView(
  mapping: EventSourceMapping,
  vault: FilterVault,
): Promise<Pick<View, 'FilterCriteria' | 'FilterCriteriaError'>> {
  try {
    return { FilterCriteria: criteria(await vault.open(mapping, mapping.settings)) }
  } catch (error) {
    return { FilterCriteriaError: filtersHidden(error) }
  }
}

function settingsView(settings: MappingSettings): Partial<View> {
  const { onFailure, provisionedPollers, maximumConcurrency, metrics } = settings
  return {
    BatchSize: settings.batchSize,
    MaximumBatchingWindowInSeconds: settings.maximumBatchingWindowSeconds,
    ParallelizationFactor: settings.parallelizationFactor,
    MaximumRecordAgeInSeconds: settings.maximumRecordAgeSeconds,
    MaximumRetryAttempts: settings.maximumRetryAttempts,
    BisectBatchOnFunctionError: settings.bisectBatchOnFunctionError,
    TumblingWindowInSeconds: settings.tumblingWindowSeconds,
    FunctionResponseTypes: settings.functionResponseTypes && [...settings.functionResponseTypes],
    DestinationConfig: onFailure && {
      OnFailure: onFailure.arn === undefined ? {} : { Destination: onFailure.arn },
    },
    ScalingConfig: maximumConcurrency === undefined ? undefined : { MaximumConcurrency: maximumConcurrency },
    ProvisionedPollerConfig: provisionedPollers && {
      MinimumPollers: provisionedPollers.minimum,
      MaximumPollers: provisionedPollers.maximum,
      ...(provisionedPollers.group !== undefined && { PollerGroupName: provisionedPollers.group }),
    },
    SourceAccessConfigurations: settings.sourceAccess?.map(({ type, uri }) =>
      withoutUndefined({ Type: type as 'BASIC_AUTH' | undefined, URI: uri }),
    ),
    KMSKeyArn: settings.kmsKeyArn,
    // A list that was emptied takes the configuration away (unverified).
    MetricsConfig: metrics?.length ? { Metrics: metrics.map((metric) => metric as 'EventCount') } : undefined,
    LoggingConfig:
      settings.systemLogLevel === undefined
        ? undefined
        : { SystemLogLevel: settings.systemLogLevel as 'INFO' },
  }
}

function sourceView(source: EventSource): Partial<View> {
  switch (source.kind) {
    case 'msk':
      return { Topics: [...source.topics], AmazonManagedKafkaEventSourceConfig: kafkaView(source) }
    case 'kafka':
      return {
        Topics: [...source.topics],
        SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: [...source.bootstrapServers] } },
        SelfManagedKafkaEventSourceConfig: {
          ...kafkaView(source),
          ...(source.consumptionMode && { ConsumptionMode: source.consumptionMode }),
        },
      }
    case 'mq':
      return { Queues: [...source.queues] }
    case 'documentdb':
      return {
        DocumentDBEventSourceConfig: withoutUndefined({
          DatabaseName: source.database,
          CollectionName: source.collection,
          FullDocument: source.fullDocument,
        }),
      }
    default:
      return {}
  }
}

const kafkaView = ({
  consumerGroupId,
  schemaRegistry,
}: Extract<EventSource, { kind: 'msk' | 'kafka' }>): AmazonManagedKafkaEventSourceConfig => ({
  ConsumerGroupId: consumerGroupId,
  ...(schemaRegistry && { SchemaRegistryConfig: registryView(schemaRegistry) }),
})

const registryView = (registry: SchemaRegistry): KafkaSchemaRegistryConfig =>
  withoutUndefined<KafkaSchemaRegistryConfig>({
    SchemaRegistryURI: registry.uri,
    EventRecordFormat: registry.eventRecordFormat as 'JSON' | undefined,
    AccessConfigs: registry.accessConfigs?.map(({ type, uri }) =>
      withoutUndefined({ Type: type as 'BASIC_AUTH' | undefined, URI: uri }),
    ),
    SchemaValidationConfigs: registry.validatedAttributes?.map((attribute) =>
      withoutUndefined({ Attribute: attribute as 'KEY' | undefined }),
    ),
  })
