/** What the log database does, as the service sees it. One implementation, run in a thread or in place. */

export interface GroupKey {
  readonly account: string
  readonly region: string
  readonly name: string
}

export type LogClass = 'STANDARD' | 'INFREQUENT_ACCESS' | 'DELIVERY'

export interface GroupRecord {
  readonly name: string
  /** Milliseconds since the epoch, as every time here. */
  readonly createdAt: number
  readonly logClass: LogClass
  readonly retentionDays: number | undefined
  readonly kmsKeyId: string | undefined
  readonly deletionProtected: boolean
  readonly tags: Readonly<Record<string, string>>
  /** Messages and 26 bytes for each, as CloudWatch counts. */
  readonly storedBytes: number
}

/** Members that are left out stay as they are; `retentionDays: undefined` keeps events for ever. */
export interface GroupChange {
  readonly retentionDays?: number | undefined
  readonly deletionProtected?: boolean
  readonly addTags?: Readonly<Record<string, string>>
  readonly removeTags?: readonly string[]
  /** Refused when there would be more. */
  readonly maxTags?: number
}

export interface StreamRecord {
  readonly name: string
  readonly createdAt: number
  /** Undefined as long as it holds no event. */
  readonly firstEventAt: number | undefined
  readonly lastEventAt: number | undefined
  readonly lastIngestedAt: number | undefined
}

export interface NewEvent {
  readonly timestamp: number
  readonly message: string
}

export interface StoredEvent extends NewEvent {
  /** Grows with every event of the database; never used twice. */
  readonly sequence: number
  readonly ingestedAt: number
  readonly stream: string
}

/** A place between events: before the event with this timestamp and sequence, and behind every smaller one. */
export interface Boundary {
  readonly timestamp: number
  readonly sequence: number
}

export interface EventQuery {
  readonly group: GroupKey
  /** Undefined: every stream of the group. */
  readonly streams: { readonly names: readonly string[] } | { readonly prefix: string } | undefined
  readonly direction: 'forward' | 'backward'
  /** Where to go on; undefined: at the beginning of the range (its end when going backward). */
  readonly from: Boundary | undefined
  readonly startTime: number
  /** Exclusive. */
  readonly endTime: number
  readonly pattern: string
  readonly limit: number
  /** Of messages and 26 for each; one event is always returned. */
  readonly maxBytes: number
  /** Undefined: look at everything. Otherwise the page ends early after this much work, with fewer events. */
  readonly scan: { readonly events: number; readonly bytes: number } | undefined
}

export type EventPage =
  | { readonly kind: 'no-group' }
  | { readonly kind: 'no-stream' }
  | {
      readonly kind: 'page'
      /** In the order in which they were found: descending when going backward. */
      readonly events: readonly StoredEvent[]
      /** Where the next page of this direction begins. */
      readonly next: Boundary
      /** Nothing lies beyond `next` now. */
      readonly exhausted: boolean
    }

export interface Batch {
  readonly group: GroupKey
  readonly stream: string
  readonly events: readonly NewEvent[]
}

export interface LogOperations {
  /** False when it exists already. */
  createGroup: {
    args: GroupKey & Pick<GroupRecord, 'createdAt' | 'logClass' | 'kmsKeyId' | 'tags' | 'deletionProtected'>
    result: boolean
  }
  getGroup: { args: GroupKey; result: GroupRecord | undefined }
  updateGroup: {
    args: { readonly key: GroupKey; readonly change: GroupChange }
    result: 'updated' | 'missing' | 'too-many-tags'
  }
  /** The group is gone at once; its events are removed by later sweeps. */
  deleteGroup: { args: GroupKey; result: 'deleted' | 'missing' | 'protected' }
  /** In the order of their names, which begin with `prefix`, contain `contains` and come after `after`. */
  listGroups: {
    args: Omit<GroupKey, 'name'> & {
      readonly prefix: string
      readonly contains: string
      readonly logClass: LogClass | undefined
      readonly after: string
      readonly limit: number
    }
    result: readonly GroupRecord[]
  }
  createStream: {
    args: { readonly group: GroupKey; readonly name: string; readonly createdAt: number }
    result: 'created' | 'exists' | 'no-group'
  }
  deleteStream: {
    args: { readonly group: GroupKey; readonly name: string }
    result: 'deleted' | 'no-group' | 'no-stream'
  }
  /** Undefined when there is no such group. `after` is the last stream of the page before. */
  listStreams: {
    args: {
      readonly group: GroupKey
      readonly prefix: string
      readonly order: 'name' | 'last-event'
      readonly descending: boolean
      readonly after: { readonly name: string; readonly lastEventAt: number } | undefined
      readonly limit: number
    }
    result: readonly StreamRecord[] | undefined
  }
  putEvents: {
    args: Batch & { readonly ingestedAt: number }
    result: 'stored' | 'no-group' | 'no-stream'
  }
  /** Like `putEvents` for many streams at once; groups and streams that are missing are created. */
  append: { args: { readonly batches: readonly Batch[]; readonly ingestedAt: number }; result: number }
  readEvents: { args: EventQuery; result: EventPage }
  /** Removes up to `limit` events of deleted groups and streams and events past their group's retention. */
  sweep: { args: { readonly now: number; readonly limit: number }; result: { readonly removed: number } }
}

export type LogOperationName = keyof LogOperations

/** The operations where the database is. */
export type LogEngine = {
  readonly [Name in LogOperationName]: (args: LogOperations[Name]['args']) => LogOperations[Name]['result']
}

/** The operations from anywhere. */
export interface LogStorage {
  /** Rejects when too much waits, after `close`, and when the database fails. */
  call<Name extends LogOperationName>(
    operation: Name,
    args: LogOperations[Name]['args'],
  ): Promise<LogOperations[Name]['result']>
  /** Ends after what was called before. Safe to call twice. */
  close(): Promise<void>
}

/** CloudWatch Logs counts this for each event beside its message. */
export const EVENT_OVERHEAD_BYTES = 26
