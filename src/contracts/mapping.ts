/**
 * Event source mappings: what the store keeps of one, and its lifecycle. The control plane writes the documents; whoever
 * polls a source follows them over the change feed (prefix `ALL_MAPPINGS` of contracts/keys.ts).
 */
import { functionArn, type Scope } from '#contracts/arn.ts'
import type { TransitionTable } from '#kernel/lifecycle.ts'

/** Source: member `State` of the API model's EventSourceMappingConfiguration. */
export type MappingState =
  | 'Creating'
  | 'Enabling'
  | 'Enabled'
  | 'Disabling'
  | 'Disabled'
  | 'Updating'
  | 'Deleting'

/** The steps of a mapping. From Deleting it goes out of the store. */
export const NEXT_MAPPING_STATE = {
  Creating: ['Enabled', 'Disabled'],
  Enabling: ['Enabled'],
  Enabled: ['Disabling', 'Updating', 'Deleting'],
  Disabling: ['Disabled'],
  Disabled: ['Enabling', 'Updating', 'Deleting'],
  Updating: ['Enabled', 'Disabled'],
  Deleting: [],
} as const satisfies TransitionTable<MappingState>

export interface SchemaRegistry {
  readonly uri?: string
  readonly eventRecordFormat?: string
  readonly accessConfigs?: readonly { readonly type?: string; readonly uri?: string }[]
  readonly validatedAttributes?: readonly (string | undefined)[]
}

/** Where records come from, with all that says where in it. Nothing of this changes, except what says so. */
export type EventSource =
  | { readonly kind: 'sqs'; readonly arn: string; readonly fifo: boolean }
  /** `consumer`: the ARN is that of an enhanced fan-out consumer. */
  | { readonly kind: 'kinesis'; readonly arn: string; readonly consumer: boolean }
  | { readonly kind: 'dynamodb'; readonly arn: string }
  | {
      readonly kind: 'msk'
      readonly arn: string
      readonly topics: readonly string[]
      readonly consumerGroupId: string
      /** May change. */
      readonly schemaRegistry?: SchemaRegistry
    }
  | {
      readonly kind: 'kafka'
      /** Sorted. */
      readonly bootstrapServers: readonly string[]
      readonly topics: readonly string[]
      readonly consumerGroupId: string
      readonly consumptionMode?: 'Stream' | 'Queue'
      /** May change. */
      readonly schemaRegistry?: SchemaRegistry
    }
  | { readonly kind: 'mq'; readonly arn: string; readonly queues: readonly string[] }
  | {
      readonly kind: 'documentdb'
      readonly arn: string
      /** These three may change. */
      readonly database: string
      readonly collection?: string
      readonly fullDocument: 'UpdateLookup' | 'Default'
    }

export type SourceKind = EventSource['kind']

/** What UpdateEventSourceMapping may change. A member that is absent is not configured, or does not exist for the source. */
export interface MappingSettings {
  readonly batchSize: number
  readonly maximumBatchingWindowSeconds?: number
  readonly parallelizationFactor?: number
  /** -1: for ever. */
  readonly maximumRecordAgeSeconds?: number
  /** -1: without end. */
  readonly maximumRetryAttempts?: number
  readonly bisectBatchOnFunctionError?: boolean
  readonly tumblingWindowSeconds?: number
  readonly functionResponseTypes?: readonly 'ReportBatchItemFailures'[]
  /** Present without an ARN: nothing is kept of what failed. */
  readonly onFailure?: { readonly arn?: string }
  readonly maximumConcurrency?: number
  readonly provisionedPollers?: {
    readonly minimum: number
    readonly maximum: number
    readonly group?: string
  }
  readonly sourceAccess?: readonly { readonly type?: string; readonly uri?: string }[]
  /** Event patterns; a record passes that matches one of them. See contracts/event-pattern. */
  readonly filters?: readonly string[]
  /** The same under the customer's key (see contracts/filter-vault.ts), when the mapping names one. */
  readonly sealedFilters?: string
  readonly kmsKeyArn?: string
  readonly metrics?: readonly string[]
  readonly systemLogLevel?: string
}

export interface EventSourceMapping extends Scope {
  readonly uuid: string
  readonly source: EventSource
  readonly functionName: string
  /** `$LATEST`, a version or an alias, when the request named one. */
  readonly qualifier?: string
  readonly startingPosition?: 'LATEST' | 'TRIM_HORIZON' | 'AT_TIMESTAMP'
  /** Milliseconds since the epoch. */
  readonly startingPositionTimestamp?: number
  readonly settings: MappingSettings
  /** What the mapping is, or is on its way to. */
  readonly enabled: boolean
  readonly state: MappingState
  readonly stateTransitionReason: string
  readonly lastProcessingResult?: string
  readonly tags: Readonly<Record<string, string>>
  /**
   * Changes with every request that changes what or how is polled, and only then: whoever polls begins anew with a new
   * one, and work begun for an older one must not be recorded.
   */
  readonly generation: string
  /** Milliseconds since the epoch; changes with the state too. */
  readonly modifiedAt: number
}

const STEADY: ReadonlySet<MappingState> = new Set(['Enabled', 'Disabled'])

/** True while a request is still being carried out, so that no other one is accepted. */
export const isMappingInTransition = (state: MappingState) => !STEADY.has(state)

export const mappingFunctionArn = ({ account, region, functionName, qualifier }: EventSourceMapping) =>
  functionArn({ account, region, name: functionName }, qualifier)
