/**
 * The five narrow ports to the storage engine. Nothing else may touch the engine.
 * The memory driver is the specification: test/conformance runs one suite against every driver.
 */
import type { Readable } from 'node:stream'

import type { Json } from '#kernel/json.ts'

export interface MetaRow {
  readonly key: string
  /** Store-wide revision of the transaction that wrote it. Grows with every transaction, without gaps. */
  readonly rev: number
  readonly doc: Json
}

export interface MetaWrite {
  readonly key: string
  /**
   * Compare-and-set: the write happens only if the document's revision is this one; 0 means it must not exist.
   * Left out, the write is unconditional.
   */
  readonly ifRev?: number
  /** The new document, or null to delete it. */
  readonly doc: Json | null
}

export interface MetaChange {
  readonly rev: number
  readonly key: string
  /** Null when the document was deleted. */
  readonly doc: Json | null
}

/** Documents with compare-and-set and an ordered, resumable change feed. Keys sort bytewise (UTF-8). */
export interface Meta {
  get(key: string): Promise<MetaRow | null>
  /** Rows whose key starts with `prefix` and sorts after `after` (exclusive; '' for the start), in key order. */
  list(prefix: string, after: string, limit: number): Promise<readonly MetaRow[]>
  /**
   * All writes or none; durable when it resolves. `conflict` when any `ifRev` does not hold, and then nothing was written.
   * Watchers of this process have been called before it resolves, so that a writer reads its own write through any cache.
   */
  txn(writes: readonly MetaWrite[]): Promise<{ readonly rev: number } | 'conflict'>
  /**
   * Calls `onChange` with every change after `fromRev`, in order, in batches that never split a transaction,
   * first the stored ones, then new ones as they happen. Changes of one key that were overwritten before they were
   * read may be left out (the last one never is). Returns a function that stops the feed.
   */
  watch(fromRev: number, onChange: (changes: readonly MetaChange[]) => void): () => void
  /**
   * Revision of the newest transaction; 0 for an empty store. Watchers of this process that follow the feed have been
   * told of everything up to it when it resolves.
   */
  rev(): Promise<number>
}

/** Identifies an event in the log: time-ordered and unique within its store; assigned by the queue's owner. */
export type LogId = bigint

export interface LogEntry {
  readonly id: LogId
  readonly queue: number
  /** Wall-clock milliseconds before which the event is not to be given out. */
  readonly visibleAt: number
  /** Small JSON text with everything but the payload. */
  readonly head: string
  readonly payload: Uint8Array
}

/** Kind of the leases that fences refer to; the key is the queue's number in decimal. */
export const QUEUE_LEASE_KIND = 'queue'

/** Proof of ownership that the engine checks in the same transaction: the queue's lease is held with this epoch. */
export interface Fence {
  readonly queue: number
  readonly epoch: number
}

export interface LogMove {
  readonly id: LogId
  readonly queue: number
  readonly visibleAt: number
  /** Replaces the head (attempt counters live there). */
  readonly head: string
}

export interface LogCommit {
  /** Every queue that is appended to, removed from or moved in must be fenced here. */
  readonly fences: readonly Fence[]
  readonly append: readonly LogEntry[]
  readonly remove: readonly { readonly queue: number; readonly id: LogId }[]
  readonly move: readonly LogMove[]
}

/** The durable part of the event queues; visibility, caps and retries are decided above it, in memory. */
export interface QueueLog {
  /**
   * Atomic and durable when it resolves. Work of queues whose fence does not hold any more is left out, and those
   * queues come back in `fencedOut`; the rest is committed. Removing or moving an id that is gone does nothing.
   */
  commit(batch: LogCommit): Promise<{ readonly fencedOut: readonly number[] }>
  /**
   * Up to `limit` entries of `queue` with an id greater than `afterId`, in id order. A page also ends after the entry
   * with which its payloads reach `maxBytes`; only an empty page says that there are no more.
   */
  load(queue: number, afterId: LogId, limit: number, maxBytes?: number): Promise<readonly LogEntry[]>
  /** How many entries the queue has, and the greatest id among them (0 when it is empty). */
  size(queue: number): Promise<{ readonly entries: number; readonly lastId: LogId }>
}

export interface Lease {
  readonly kind: string
  readonly key: string
  /** Grows by at least one each time the lease changes hands. */
  readonly epoch: number
  /** Monotonic milliseconds of this process until which it may be relied on. */
  readonly until: number
}

/** Ownership of queues, pollers and schedules. */
export interface Leases {
  /** Declares the keys of a kind; those that exist already stay as they are. */
  define(kind: string, keys: readonly string[]): Promise<void>
  /** Takes up to `max` leases of that kind that nobody holds; `among`: only of these keys. */
  acquire(kind: string, max: number, among?: readonly string[]): Promise<readonly Lease[]>
  /** Extends those still held; what is missing in the answer is lost. */
  renew(held: readonly Lease[]): Promise<readonly Lease[]>
  release(lease: Lease): Promise<void>
}

export interface NodeInfo {
  readonly nodeId: string
  readonly address: string
  /** Anything a node says about itself. */
  readonly info: Json
}

/** Membership, for bootstrapping only. */
export interface Nodes {
  beat(self: NodeInfo): Promise<void>
  /** It is gone from now on, until its next beat. */
  leave(nodeId: string): Promise<void>
  /** Nodes that have beaten within the last `withinMs`. */
  list(withinMs: number): Promise<readonly NodeInfo[]>
}

export interface BlobEntry {
  readonly sha256: string
  /** Wall-clock milliseconds of the last put, also of one that found the bytes there already. */
  readonly putAt: number
}

/** Content-addressed bytes. Keys are SHA-256 digests in lower-case hexadecimal. */
export interface Blobs {
  has(sha256: string): Promise<boolean>
  /**
   * Stores the bytes; durable when it resolves (fsynced file and directory). Refuses, with nothing stored, when they do
   * not hash to `sha256` or exceed `maxBytes`. Storing what is there already only renews its `putAt`.
   */
  put(
    sha256: string,
    content: Readable | Uint8Array,
    maxBytes?: number,
  ): Promise<{ readonly sizeBytes: number }>
  /** Rejects with `BlobMissing` when it is not there. */
  get(sha256: string): Promise<Readable>
  /** A path to read it from, when the driver keeps files; undefined otherwise. Never write to it. */
  path(sha256: string): Promise<string | undefined>
  sizeOf(sha256: string): Promise<number | undefined>
  /**
   * Up to `limit` blobs whose key sorts after `after` (exclusive; '' for the start), in the order of the keys. A blob that
   * is put or deleted meanwhile may be listed or not.
   */
  list(after: string, limit: number): Promise<readonly BlobEntry[]>
  /**
   * Deletes it, also when it is not there. With `putBefore` (wall-clock milliseconds) it stays when a put of it is under
   * way or has ended at or after that: who puts and is told so finds it there. Answers whether it is gone.
   */
  del(sha256: string, putBefore?: number): Promise<boolean>
}

export class BlobMissing extends Error {
  override name = 'BlobMissing'
}
/** The bytes do not hash to the key they were stored under. */
export class BlobMismatch extends Error {
  override name = 'BlobMismatch'
}
/** The bytes are more than the `maxBytes` of the put. */
export class BlobTooLarge extends Error {
  override name = 'BlobTooLarge'
}
/** More work waits for the engine than its bound; nothing was written, try again later. */
export class StoreBusy extends Error {
  override name = 'StoreBusy'
}
/**
 * The engine can't be reached within the time that anybody waits for it. Whether a write happened is not known; the same
 * may succeed later.
 */
export class StoreAway extends Error {
  override name = 'StoreAway'
}
/** The data was written by a newer version of the program, which knows a newer schema. */
export class StoreTooNew extends Error {
  override name = 'StoreTooNew'
}
/** The stored data cannot be read; the message says which file and what to do. Never answered by starting empty. */
export class StoreDamaged extends Error {
  override name = 'StoreDamaged'
}
/** Another process owns the data directory. */
export class StoreLocked extends Error {
  override name = 'StoreLocked'
}

/** One opened engine with its five ports. */
export interface Store {
  readonly meta: Meta
  readonly queueLog: QueueLog
  readonly leases: Leases
  readonly nodes: Nodes
  readonly blobs: Blobs
  /** Finishes commits under way, then closes. */
  close(): Promise<void>
}
