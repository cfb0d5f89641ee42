/** Which source a request means. Pure. */
import type { KafkaSchemaRegistryConfig } from '@aws-sdk/client-lambda'

import { invalidParameter, validationFailed } from '#contracts/errors.ts'
import type { EventSource, SchemaRegistry } from '#contracts/mapping.ts'

import { withoutUndefined } from '../functions/configuration.ts'
import type { CreateRequest } from './mapping-request.ts'

const unrecognised = () => invalidParameter('Unrecognized event source.')

/** Service and resource of an ARN. The resource may hold colons. */
const ARN = /^arn:[^:]+:([^:]+):[^:]*:[^:]*:(.+)$/

/** The source, with its defaults; `uuid` names the consumer group unless the request does (developer guide). */
export function sourceOf(request: CreateRequest, uuid: string): EventSource {
  const { EventSourceArn: arn, SelfManagedEventSource: own } = request
  if (own !== undefined) {
    // That both can't be given together is documented; the text is unverified.
    if (arn !== undefined) throw unrecognised()
    return selfManaged(request, uuid)
  }
  if (arn === undefined) throw unrecognised()
  const [, service = '', resource = ''] = ARN.exec(arn) ?? []
  switch (service) {
    case 'sqs':
      return { kind: 'sqs', arn, fifo: resource.endsWith('.fifo') }
    case 'kinesis':
      if (!/^stream\/[^/]+(?:\/consumer\/[^/]+)?$/.test(resource)) break
      return { kind: 'kinesis', arn, consumer: resource.includes('/consumer/') }
    case 'dynamodb':
      if (!/^table\/[^/]+\/stream\/[^/]+$/.test(resource)) break
      return { kind: 'dynamodb', arn }
    case 'kafka': {
      if (!/^(?:cluster|vpc-connection)\/.+$/.test(resource)) break
      const config = request.AmazonManagedKafkaEventSourceConfig
      return withoutUndefined<EventSource>({
        kind: 'msk',
        arn,
        topics: request.Topics ?? [],
        consumerGroupId: config?.ConsumerGroupId ?? uuid,
        schemaRegistry: registryOf(config?.SchemaRegistryConfig),
      })
    }
    case 'mq':
      if (!resource.startsWith('broker:')) break
      return { kind: 'mq', arn, queues: request.Queues ?? [] }
    case 'rds':
      if (!resource.startsWith('cluster:')) break
      return documentDb(request, arn)
  }
  // What AWS says of an ARN of another service is unverified.
  throw unrecognised()
}

function selfManaged(request: CreateRequest, uuid: string): EventSource {
  const config = request.SelfManagedKafkaEventSourceConfig
  const mode = config?.ConsumptionMode
  if (mode !== undefined && mode !== 'Stream' && mode !== 'Queue') {
    // The API model leaves the values out; AWS checks them all the same.
    throw validationFailed(
      `1 validation error detected: Value '${String(mode)}' at 'selfManagedKafkaEventSourceConfig.consumptionMode' failed to satisfy constraint: Member must satisfy enum value set: [Queue, Stream]`,
    )
  }
  const servers = request.SelfManagedEventSource?.Endpoints?.KAFKA_BOOTSTRAP_SERVERS ?? []
  // Text after the pattern of the others.
  if (servers.length === 0) throw invalidParameter("Required 'endpoints' parameter is missing.")
  return withoutUndefined<EventSource>({
    kind: 'kafka',
    // AWS answers them in this order (provider for Terraform).
    bootstrapServers: servers.toSorted(),
    topics: request.Topics ?? [],
    consumerGroupId: config?.ConsumerGroupId ?? uuid,
    consumptionMode: mode,
    schemaRegistry: registryOf(config?.SchemaRegistryConfig),
  })
}

function documentDb({ DocumentDBEventSourceConfig: config }: CreateRequest, arn: string): EventSource {
  return withoutUndefined<EventSource>({
    kind: 'documentdb',
    arn,
    // A request without a configuration is refused afterwards, for the member that it lacks.
    database: databaseOf(config),
    collection: config?.CollectionName,
    fullDocument: config?.FullDocument ?? 'Default',
  })
}

function databaseOf(config: CreateRequest['DocumentDBEventSourceConfig']): string {
  if (config !== undefined && config.DatabaseName === undefined) {
    // Required by the developer guide; text after the pattern of the others.
    throw invalidParameter("Required 'databaseName' parameter is missing.")
  }
  return config?.DatabaseName ?? ''
}

export function registryOf(config: KafkaSchemaRegistryConfig | undefined): SchemaRegistry | undefined {
  if (config === undefined || Object.keys(config).length === 0) return undefined
  return withoutUndefined<SchemaRegistry>({
    uri: config.SchemaRegistryURI,
    eventRecordFormat: config.EventRecordFormat,
    accessConfigs: config.AccessConfigs?.map(({ Type, URI }) => withoutUndefined({ type: Type, uri: URI })),
    validatedAttributes: config.SchemaValidationConfigs?.map(({ Attribute }) => Attribute),
  })
}

/** The same source after an update. Throws for what can't be changed. */
export function changedSource(source: EventSource, request: Partial<CreateRequest>): EventSource {
  switch (source.kind) {
    case 'msk':
    case 'kafka': {
      const config =
        source.kind === 'msk'
          ? request.AmazonManagedKafkaEventSourceConfig
          : request.SelfManagedKafkaEventSourceConfig
      if (config === undefined) return source
      const { ConsumerGroupId: group = source.consumerGroupId } = config
      // Documented; texts unverified.
      if (group !== source.consumerGroupId) throw invalidParameter('ConsumerGroupId cannot be updated.')
      if (source.kind === 'kafka') {
        const mode = request.SelfManagedKafkaEventSourceConfig?.ConsumptionMode
        if (mode !== undefined && mode !== (source.consumptionMode ?? 'Stream')) {
          throw invalidParameter('ConsumptionMode cannot be updated.')
        }
      }
      if (config.SchemaRegistryConfig === undefined) return source
      return withoutUndefined<EventSource>({
        ...source,
        schemaRegistry: registryOf(config.SchemaRegistryConfig),
      })
    }
    case 'documentdb': {
      const config = request.DocumentDBEventSourceConfig
      if (config === undefined) return source
      // What the request leaves out stays (unverified).
      return withoutUndefined<EventSource>({
        ...source,
        database: config.DatabaseName ?? source.database,
        collection: config.CollectionName ?? source.collection,
        fullDocument: config.FullDocument ?? source.fullDocument,
      })
    }
    default:
      return source
  }
}

export const arnOfSource = (source: EventSource) => ('arn' in source ? source.arn : undefined)

/** Each names records that a function must not be mapped to twice. */
export function recordsOf(source: EventSource): readonly string[] {
  switch (source.kind) {
    case 'msk':
      return source.topics.map((topic) => `${source.arn} ${topic}`)
    case 'kafka':
      return source.bootstrapServers.flatMap((server) => source.topics.map((topic) => `${server} ${topic}`))
    case 'mq':
      return source.queues.map((queue) => `${source.arn} ${queue}`)
    case 'documentdb':
      return [`${source.arn} ${source.database}/${source.collection ?? ''}`]
    default:
      return [source.arn]
  }
}
