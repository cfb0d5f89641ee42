/** What the main thread and the engine's thread say to each other. */
import type { SerialWrite } from '#store/embedded/meta-writes.ts'
import type { LeaseRow } from '#store/embedded/leases.ts'
import type { Fence, LogMove } from '#store/port.ts'

export interface TextRow {
  readonly key: string
  readonly rev: number
  /** JSON text; null for a deletion in the change feed. */
  readonly text: string | null
}

/** An entry whose payload lies in the commit's common buffer, in order, `payloadBytes` long. */
export interface PackedEntry {
  readonly id: bigint
  readonly queue: number
  readonly visibleAt: number
  readonly head: string
  readonly payloadBytes: number
}

export interface StoredEntry {
  readonly id: bigint
  readonly queue: number
  readonly visibleAt: number
  readonly head: string
  readonly payload: Uint8Array
}

/** Every operation with its arguments and its result. */
export interface Operations {
  readonly get: { readonly args: { readonly key: string }; readonly result: TextRow | null }
  readonly list: {
    readonly args: { readonly prefix: string; readonly after: string; readonly limit: number }
    readonly result: readonly TextRow[]
  }
  readonly changes: {
    readonly args: { readonly after: number }
    readonly result: { readonly rows: readonly TextRow[]; readonly upTo: number }
  }
  readonly rev: { readonly args: object; readonly result: number }
  readonly load: {
    readonly args: {
      readonly queue: number
      readonly afterId: bigint
      readonly limit: number
      readonly maxBytes: number
    }
    readonly result: readonly StoredEntry[]
  }
  readonly size: {
    readonly args: { readonly queue: number }
    readonly result: { readonly entries: number; readonly lastId: bigint }
  }
  readonly txn: {
    readonly args: { readonly writes: readonly SerialWrite[] }
    /** `skipped`: keys whose deletion changed nothing. */
    readonly result: { readonly rev: number; readonly skipped: readonly string[] } | 'conflict'
  }
  readonly log: {
    readonly args: {
      readonly fences: readonly Fence[]
      /** Queues whose lease has run out by the clock of the main thread. */
      readonly lapsed: readonly number[]
      readonly append: readonly PackedEntry[]
      readonly payloads: Uint8Array
      readonly remove: readonly { readonly queue: number; readonly id: bigint }[]
      readonly move: readonly LogMove[]
    }
    readonly result: { readonly fencedOut: readonly number[] }
  }
  readonly leases: { readonly args: { readonly rows: readonly LeaseRow[] }; readonly result: null }
}

export type OperationName = keyof Operations
export type Operation = {
  readonly [Name in OperationName]: { readonly op: Name } & Operations[Name]['args']
}[OperationName]

const WRITES: ReadonlySet<OperationName> = new Set<OperationName>(['txn', 'log', 'leases'])
export const isWrite = (op: OperationName) => WRITES.has(op)

/** An error as it crosses the border between threads. */
export interface Failure {
  readonly kind: 'damaged' | 'locked' | 'too-new' | 'other'
  readonly message: string
}

export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: Failure }

export type ToWorker =
  | { readonly kind: 'calls'; readonly calls: readonly { readonly id: number; readonly call: Operation }[] }
  | { readonly kind: 'close' }

export type FromWorker =
  | { readonly kind: 'open'; readonly opened: Opened }
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'replies'; readonly replies: readonly Reply[] }
  /** The engine takes no more work until the store is opened again. */
  | { readonly kind: 'broken'; readonly failure: Failure }
  | { readonly kind: 'closed' }

export interface Opened {
  readonly rev: number
  readonly leases: readonly LeaseRow[]
  readonly schema: number
  /** Schema that was found; 0 for a new store. */
  readonly foundSchema: number
}
